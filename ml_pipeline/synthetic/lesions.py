"""The eight looks: one function per lesion class that lays its structures on skin.

Structures follow the terms of the dermoscopy consensus (Kittler et al., J Am Acad Dermatol 2016): a
caricature of what the literature describes, made to exercise software. No diagnosis could rest on it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ml_pipeline.synthetic.fields import (
    Colour,
    Picture,
    Plane,
    Points,
    Stroke,
    blur,
    cells,
    ink,
    paint,
    ramp,
    relief,
    shade,
    smooth_noise,
    stain,
)
from ml_pipeline.synthetic.outline import Border, Site

_BLACK = Colour(0.16, 0.12, 0.12)
_BLUE_GREY = Colour(0.42, 0.46, 0.56)
_BLUE_WHITE = Colour(0.62, 0.66, 0.76)
_BROWN = Colour(0.66, 0.48, 0.36)
_DARK_BROWN = Colour(0.45, 0.30, 0.23)
_KERATIN = Colour(0.93, 0.86, 0.70)
_PINK = Colour(0.97, 0.76, 0.76)
_RED = Colour(0.92, 0.52, 0.50)
_VESSEL = Colour(0.72, 0.13, 0.17)
_WHITE = Colour(0.96, 0.91, 0.87)

_THINNEST_VESSEL_PX, _SHORTEST_VESSEL_PX = 0.35, 4


@dataclass(frozen=True, slots=True)
class Look:
    """A class's border and the function that lays its structures on skin."""

    border: Border
    apply: Callable[[Picture, Site, np.random.Generator], Picture]


def _actinic_keratosis(picture: Picture, site: Site, rng: np.random.Generator) -> Picture:
    """Red with pale follicles ("strawberry"), under rough white and yellow scale; the border fades away."""
    inside = ramp(site.depth, -0.14, 0.35)
    patchy = np.clip(0.8 + 0.15 * smooth_noise(rng, site.shape, scale_px=0.3 * site.radius_px), 0, 1)
    picture = stain(picture, Colour(0.94, 0.64, 0.61), inside * patchy)
    follicles = cells(rng, site.shape, spacing_px=0.13 * site.radius_px)
    edge = blur(follicles.edge, 0.018 * site.radius_px)
    picture = stain(picture, _RED, 0.65 * inside * np.exp(-((edge / 0.32) ** 2)))
    picture = paint(picture, _KERATIN, 0.5 * inside * ramp(edge, 0.4, 0.75) * ramp(follicles.value, 0.45, 0.5))
    height = smooth_noise(rng, site.shape, scale_px=0.13 * site.radius_px, octaves=4)
    flakes = ramp(height, 0.5, 1.3) * ramp(site.depth, 0.02, 0.3)
    picture = paint(picture, Colour(0.93, 0.88, 0.80), 0.75 * flakes)
    return shade(picture, -0.16 * relief(0.4 * height) * inside * (0.3 + 0.7 * flakes))


def _basal_cell_carcinoma(picture: Picture, site: Site, rng: np.random.Generator) -> Picture:
    """Pearly pink, arborising vessels in sharp focus, blue-grey ovoid nests, a little crust."""
    inside = ramp(site.depth, -0.04, 0.2)
    picture = stain(picture, _PINK, inside)
    pearl = ramp(smooth_noise(rng, site.shape, scale_px=0.5 * site.radius_px), -0.5, 1.6)
    picture = paint(picture, Colour(0.95, 0.85, 0.84), 0.45 * inside * pearl)
    picture = shade(picture, -0.12 * relief(6 * blur(inside, 0.05 * site.radius_px)))
    nests = _discs(site, rng, 6, width=0.26, inner=0.15, outer=0.75, stretch=0.5, soft=0.035)
    picture = paint(picture, _BLUE_GREY, 0.75 * inside * nests)
    picture = paint(picture, _BLUE_GREY, 0.6 * inside * _discs(site, rng, 18, width=0.06, outer=0.8, soft=0.015))
    crust = _discs(site, rng, 2, width=0.2, outer=0.35, stretch=0.4, soft=0.025)
    picture = paint(picture, Colour(0.60, 0.34, 0.22), 0.7 * inside * crust)
    return paint(picture, _VESSEL, 0.7 * ramp(site.depth, -0.25, 0.05) * _vessel_trees(site, rng, 4))


def _benign_keratosis(picture: Picture, site: Site, rng: np.random.Generator) -> Picture:
    """Stuck on: knife-sharp border with a shadow, waxy ridges, milia-like cysts, comedo-like openings."""
    inside = ramp(site.depth, -0.008, 0.02)
    offset = round(0.03 * site.radius_px)
    picture = shade(picture, -0.3 * ramp(np.roll(site.depth, offset, (0, 1)), -0.10, 0.04) * (1 - inside))
    warm = np.clip(0.6 + 0.35 * smooth_noise(rng, site.shape, scale_px=0.45 * site.radius_px), 0, 1)
    picture = stain(picture, Colour(0.75, 0.63, 0.50), inside)
    picture = stain(picture, Colour(0.80, 0.69, 0.60), inside * warm)
    ridges = cells(rng, site.shape, spacing_px=0.19 * site.radius_px, warp=0.8)
    edge = blur(ridges.edge, 0.022 * site.radius_px)
    picture = stain(picture, _BROWN, 0.6 * inside * np.exp(-((edge / 0.2) ** 2)))
    wax = -0.10 * relief(0.05 * site.radius_px * edge) + 0.10 * (ridges.value - 0.5)
    picture = shade(picture, inside * blur(wax, 0.012 * site.radius_px))
    plugs = _discs(site, rng, 12, width=0.09, outer=0.85, stretch=0.3)
    picture = stain(picture, _DARK_BROWN, 0.9 * inside * plugs)
    picture = paint(picture, _WHITE, 0.35 * inside * _discs(site, rng, 22, width=0.11, outer=0.85, soft=0.03))
    return paint(picture, _WHITE, 0.85 * inside * _discs(site, rng, 26, width=0.05, outer=0.85, soft=0.012))


def _dermatofibroma(picture: Picture, site: Site, rng: np.random.Generator) -> Picture:
    """A central white scar-like patch inside a delicate light brown network that fades into the skin."""
    inside = ramp(site.depth, -0.10, 0.45)
    picture = stain(picture, Colour(0.86, 0.72, 0.63), inside)
    mesh = _network(site, rng, spacing=0.085, line=0.30)
    picture = stain(picture, _BROWN, 0.7 * mesh * inside * ramp(site.depth, 0.75, 0.4))
    cloud = smooth_noise(rng, site.shape, scale_px=0.3 * site.radius_px)
    scar = ramp(site.depth + 0.06 * cloud, 0.36, 0.74)
    picture = paint(picture, Colour(0.94, 0.84, 0.80), 0.85 * scar)
    streaks = _lines(site, rng, 22, length=0.22, width=0.02, outer=0.34)
    picture = paint(picture, _WHITE, 0.6 * scar * streaks)
    return stain(picture, _PINK, 0.4 * scar * ramp(cloud, 0.2, 1.2))


def _melanoma(picture: Picture, site: Site, rng: np.random.Generator) -> Picture:
    """Asymmetric in shape and colour: blotches, blue-white veil, regression, uneven network and dots."""
    inside = ramp(site.depth, -0.03, 0.12)
    mottle = smooth_noise(rng, site.shape, scale_px=0.3 * site.radius_px)
    lopsided = (0.8 * site.right + 0.25 * smooth_noise(rng, site.shape, scale_px=0.6 * site.radius_px)).astype(
        np.float32
    )
    picture = stain(picture, Colour(0.74, 0.56, 0.46), inside)
    picture = stain(picture, Colour(0.88, 0.72, 0.68), inside * ramp(lopsided, -0.1, -0.8))
    mesh = _network(site, rng, spacing=0.085, line=0.30)
    picture = stain(picture, _DARK_BROWN, 0.75 * inside * mesh * ramp(mottle, -0.8, 0.6))
    picture = stain(picture, Colour(0.55, 0.42, 0.36), inside * ramp(lopsided + 0.08 * mottle, -0.2, 0.4))
    blotch = ramp(lopsided + 0.2 * mottle, 0.25, 0.85)
    picture = paint(picture, _BLACK, 0.82 * ramp(site.depth, -0.01, 0.15) * blotch)
    veil = ramp(np.hypot(site.right - 0.12, 1.3 * site.down + 0.25) - 0.10 * mottle, 0.62, 0.15)
    picture = paint(picture, _BLUE_WHITE, 0.72 * ramp(site.depth, 0.08, 0.35) * veil)
    regression = ramp(np.hypot(site.right + 0.4, site.down - 0.3) + 0.08 * mottle, 0.38, 0.10)
    picture = paint(picture, Colour(0.88, 0.74, 0.71), 0.7 * inside * regression)
    peppering = _discs(site, rng, 90, width=0.025, outer=0.7, soft=0.01)
    picture = paint(picture, _BLUE_GREY, 0.7 * peppering * ramp(regression + veil, 0.1, 0.5))
    dots = _discs(site, rng, 45, width=0.055, inner=0.5, outer=1.0, soft=0.012)
    picture = paint(picture, _BLACK, 0.75 * ramp(site.depth, -0.05, 0.05) * ramp(lopsided, -0.7, 0.1) * dots)
    return stain(picture, Colour(0.40, 0.30, 0.26), 0.85 * ramp(lopsided, 0.0, 0.4) * _pseudopods(site, rng, 44))


def _naevus(picture: Picture, site: Site, rng: np.random.Generator) -> Picture:
    """Round and symmetric: even brown, darker in the middle, a regular network thinning outwards."""
    inside = ramp(site.depth, -0.08, 0.32)
    uneven = np.clip(0.9 + 0.07 * smooth_noise(rng, site.shape, scale_px=0.4 * site.radius_px), 0, 1)
    picture = stain(picture, Colour(0.80, 0.66, 0.55), inside * uneven)
    picture = stain(picture, Colour(0.72, 0.58, 0.49), ramp(site.depth, 0.1, 0.85) * uneven)
    mesh = _network(site, rng, spacing=0.08, line=0.32)
    picture = stain(picture, Colour(0.62, 0.46, 0.37), 0.85 * mesh * ramp(site.depth, -0.06, 0.30))
    dots = _discs(site, rng, 36, width=0.035, outer=0.5, soft=0.01)
    return stain(picture, _DARK_BROWN, 0.5 * inside * dots)


def _squamous_cell_carcinoma(picture: Picture, site: Site, rng: np.random.Generator) -> Picture:
    """A white and yellow keratin centre with cracks and blood spots, ringed by red with looped vessels."""
    inside = ramp(site.depth, -0.12, 0.22)
    picture = stain(picture, Colour(0.95, 0.64, 0.61), inside)
    picture = stain(picture, Colour(0.93, 0.72, 0.70), np.exp(-(((site.depth - 0.25) / 0.2) ** 2)))
    picture = paint(picture, _VESSEL, 0.55 * ramp(site.depth, -0.02, 0.1) * _loops(site, rng, 50))
    rough = smooth_noise(rng, site.shape, scale_px=0.3 * site.radius_px, octaves=5)
    core = ramp(site.depth + 0.06 * rough, 0.36, 0.54)
    picture = paint(picture, Colour(0.93, 0.88, 0.78), 0.92 * core)
    yellow = ramp(smooth_noise(rng, site.shape, scale_px=0.35 * site.radius_px), -0.3, 1.4)
    picture = stain(picture, Colour(0.92, 0.80, 0.60), core * yellow)
    plates = blur(cells(rng, site.shape, spacing_px=0.26 * site.radius_px, warp=0.9).edge, 0.012 * site.radius_px)
    cracks = np.exp(-((plates / 0.09) ** 2)) * ramp(rough, -0.6, 0.8)
    picture = stain(picture, Colour(0.74, 0.58, 0.46), 0.6 * core * cracks)
    picture = shade(picture, -0.13 * core * relief(0.55 * rough) - 0.08 * relief(4 * blur(core, 0.03 * site.radius_px)))
    spots = _discs(site, rng, 6, width=0.10, inner=0.2, outer=0.5, stretch=0.5, soft=0.02)
    return paint(picture, Colour(0.42, 0.11, 0.10), 0.8 * spots)


def _vascular(picture: Picture, site: Site, rng: np.random.Generator) -> Picture:
    """Sharply bounded red to purple lacunae, packed and parted by pale septa."""
    inside = ramp(site.depth, -0.03, 0.07)
    picture = stain(picture, Colour(0.95, 0.68, 0.68), ramp(site.depth, -0.25, 0.1))
    lacunae = cells(rng, site.shape, spacing_px=0.31 * site.radius_px, jitter=0.95)
    edge = blur(lacunae.edge, 0.05 * site.radius_px)  # rounds the corners of the cells
    hue = blur(lacunae.value, 0.035 * site.radius_px)
    lake = inside * ramp(edge, 0.12, 0.36)
    picture = paint(picture, Colour(0.72, 0.22, 0.25), 0.82 * lake)
    picture = paint(picture, Colour(0.48, 0.17, 0.32), 0.8 * lake * ramp(hue, 0.35, 0.75))
    picture = paint(picture, Colour(0.26, 0.12, 0.24), 0.75 * lake * ramp(hue, 0.75, 0.92))
    picture = paint(picture, Colour(0.86, 0.62, 0.63), 0.35 * inside * ramp(edge, 0.22, 0.05))
    return shade(picture, -0.10 * inside * relief(0.07 * site.radius_px * blur(edge, 0.03 * site.radius_px)))


LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "akiec": Look(Border(elongation=0.12, lobes=0.09, roughness=0.07), _actinic_keratosis),
        "bcc": Look(Border(elongation=0.10, lobes=0.06, roughness=0.02), _basal_cell_carcinoma),
        "bkl": Look(Border(elongation=0.14, lobes=0.07, roughness=0.02), _benign_keratosis),
        "df": Look(Border(elongation=0.05, lobes=0.03, roughness=0.02), _dermatofibroma),
        "mel": Look(Border(elongation=0.16, lobes=0.13, roughness=0.03), _melanoma),
        "nv": Look(Border(elongation=0.05, lobes=0.015, roughness=0.015), _naevus),
        "scc": Look(Border(elongation=0.08, lobes=0.06, roughness=0.04), _squamous_cell_carcinoma),
        "vasc": Look(Border(elongation=0.10, lobes=0.07, roughness=0.02), _vascular),
    }
)
"""Class code -> look, in alphabetical order."""


def _network(site: Site, rng: np.random.Generator, *, spacing: float, line: float) -> Plane:
    """Pigment network: 1 on the meshes' lines, 0 in the holes; `spacing` in radii, `line` in spacings."""
    spacing_px = max(spacing * site.radius_px, 2.5)
    edge = blur(cells(rng, site.shape, spacing_px=spacing_px, jitter=0.7).edge, 0.14 * spacing_px)
    return np.asarray(np.exp(-((edge / line) ** 2)), np.float32)


def _discs(
    site: Site,
    rng: np.random.Generator,
    count: int,
    *,
    width: float,
    inner: float = 0.0,
    outer: float,
    stretch: float = 0.0,
    soft: float = 0.008,
) -> Plane:
    """Scattered round or drawn-out spots; `width`, `inner`, `outer` and `soft` in radii."""
    strokes = []
    for place in site.scatter(rng, count, inner=inner, outer=outer):
        diameter_px = width * site.radius_px * rng.uniform(0.55, 1.2)
        angle, length_px = rng.uniform(0, np.pi), diameter_px * stretch * rng.uniform(0.5, 2)
        end = place + length_px * _direction(angle)
        points = np.stack([place, end]) if stretch else place[None]
        strokes.append(Stroke(points, diameter_px))
    return ink(site.shape, strokes, soften_px=soft * site.radius_px)


def _lines(site: Site, rng: np.random.Generator, count: int, *, length: float, width: float, outer: float) -> Plane:
    """Straight short lines in two directions at right angles; `length`, `width` and `outer` in radii."""
    turn = rng.uniform(0, np.pi)
    strokes = []
    for place in site.scatter(rng, count, outer=outer):
        reach = length * site.radius_px * rng.uniform(0.4, 1) * _direction(turn + np.pi / 2 * rng.integers(2))
        strokes.append(Stroke(np.stack([place - reach / 2, place + reach / 2]), width * site.radius_px))
    return ink(site.shape, strokes, soften_px=0.01 * site.radius_px)


def _loops(site: Site, rng: np.random.Generator, count: int) -> Plane:
    """Hairpin vessels pointing at the centre."""
    strokes = []
    for place in site.scatter(rng, count, inner=0.62, outer=0.98):
        inward = site.inward(place)
        aside = np.array([-inward[1], inward[0]]) * site.radius_px * 0.022
        reach = inward * site.radius_px * rng.uniform(0.05, 0.13)
        bend = np.linspace(0, np.pi, 9)[:, None]
        loop = place + aside * np.cos(bend) + reach * np.sin(bend)
        strokes.append(Stroke(loop.astype(np.float32), 0.016 * site.radius_px))
    return ink(site.shape, strokes, soften_px=0.004 * site.radius_px)


def _pseudopods(site: Site, rng: np.random.Generator, count: int) -> Plane:
    """Finger-like lines that leave the border outwards and end in a knob."""
    strokes = []
    for place in site.border_points(rng, count):
        outward = -site.inward(place) * site.radius_px
        end = place + outward * rng.uniform(0.02, 0.08)
        strokes.append(Stroke(np.stack([place - 0.12 * outward, end]).astype(np.float32), 0.05 * site.radius_px))
        strokes.append(Stroke(end[None].astype(np.float32), 0.07 * site.radius_px))
    return ink(site.shape, strokes, soften_px=0.02 * site.radius_px)


def _vessel_trees(site: Site, rng: np.random.Generator, count: int) -> Plane:
    """Arborising vessels: trunks enter from the rim, taper and branch."""
    strokes: list[Stroke] = []
    for place in site.scatter(rng, count, inner=0.75, outer=0.95):
        inward = site.inward(place)
        angle = float(np.arctan2(inward[1], inward[0]) + rng.normal(0, 0.5))
        _grow(strokes, rng, place, angle, length_px=0.65 * site.radius_px, width_px=0.026 * site.radius_px)
    return ink(site.shape, strokes, soften_px=0.004 * site.radius_px)


def _grow(
    strokes: list[Stroke],
    rng: np.random.Generator,
    start: Points,
    angle: float,
    *,
    length_px: float,
    width_px: float,
) -> None:
    """Appends one wavering branch and, while it is long and thick enough, its two children."""
    steps = 8
    angles = angle + np.cumsum(rng.normal(0, 0.22, steps))
    moves = np.stack([np.cos(angles), np.sin(angles)], axis=1) * length_px / steps
    points = np.concatenate([start[None], start + np.cumsum(moves, axis=0)]).astype(np.float32)
    strokes.append(Stroke(points[:5], width_px))
    strokes.append(Stroke(points[4:], 0.85 * width_px))
    if width_px < _THINNEST_VESSEL_PX or length_px < _SHORTEST_VESSEL_PX:
        return
    for side in (-1, 1):
        share = rng.uniform(0.45, 0.75)
        at = points[-1] if side > 0 else points[5]
        turn = float(angles[-1]) + side * rng.uniform(0.3, 0.8)
        _grow(strokes, rng, at, turn, length_px=share * length_px, width_px=0.68 * width_px)


def _direction(angle: float) -> Points:
    """Unit vector, float32 [2]."""
    return np.array([np.cos(angle), np.sin(angle)], np.float32)
