"""English and Spanish: every text has both, the log has one, and a fresh clone needs no compiler for them."""

import ast
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import polib
import pypdfium2
import pytest
from django.test import Client
from django.utils import translation

from api import i18n
from api.models import Prediction
from ml_models import errors, labels
from ml_models.classification import Modality, ReasonCode
from ml_models.decision import REASON_TEXTS, DecisionRules, decide
from ml_models.errors import PhotoError
from ml_models.image_io import PhotoLimits, read_photo

ROOT = Path(__file__).resolve().parent.parent.parent
CATALOGUE = ROOT / "locale" / "es" / "LC_MESSAGES" / "django.po"
SPANISH = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext"}
RAISING = ("image_io", "jpeg", "png", "heif", "runtime")
ERROR_NAMES = {name for name in dir(errors) if name.startswith("Photo") or name == "InferenceBusy"}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


# The catalogue


def marked_texts() -> Iterator[tuple[str, str]]:
    """Where, and which text is marked for translation in code and templates."""
    for room in ("accounts", "api", "web", "skin_disease"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
                    for argument in node.args[: 2 if node.func.id.startswith("n") else 1]:
                        if isinstance(argument, ast.Constant):
                            yield f"{path.name}:{node.lineno}", argument.value
        for path in sorted((ROOT / room).rglob("*.html")):
            for found in re.finditer(r'{% translate "([^"]+)" %}', path.read_text(encoding="utf-8")):
                yield path.name, found[1]


def test_catalogue_has_every_marked_text(catalogue: polib.POFile):
    known = {text for entry in catalogue for text in (entry.msgid, entry.msgid_plural)}
    assert not [(where, text) for where, text in marked_texts() if text not in known]


def test_catalogue_translates_every_text(catalogue: polib.POFile):
    empty = [entry.msgid for entry in catalogue if not entry.translated()]
    assert not empty
    assert not catalogue.fuzzy_entries()
    assert not catalogue.obsolete_entries()


def test_catalogue_keeps_every_placeholder(catalogue: polib.POFile):
    for entry in catalogue:
        for text in (entry.msgstr, *entry.msgstr_plural.values()):
            if text:
                assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(entry.msgid)), entry.msgid


def test_catalogue_texts_keep_their_line_breaks_and_blanks(catalogue: polib.POFile):
    for entry in catalogue:
        for text in filter(None, (entry.msgstr, *entry.msgstr_plural.values())):
            assert text.count("\n") == entry.msgid.count("\n"), entry.msgid
            assert text[-1].isspace() == entry.msgid[-1].isspace(), entry.msgid


def test_compiled_catalogue_is_that_of_the_texts(catalogue: polib.POFile):
    """It is kept in the repository, so that a clone needs no gettext. To make it again: `manage.py compilemessages`."""
    compiled = polib.mofile(str(CATALOGUE.with_suffix(".mo")))

    def content(file: Any) -> dict[str, Any]:
        return {entry.msgid: entry.msgstr or entry.msgstr_plural for entry in file}

    assert content(compiled) == content(catalogue)


# The texts of ml_models


def model_texts() -> set[str]:
    names = {text for label in labels.CATALOGUE for text in (label.name, label.advice)}
    return names | set(REASON_TEXTS.values())


@pytest.mark.parametrize("text", sorted(model_texts()))
def test_model_text_is_translated(text: str):
    assert text in i18n.PHRASES
    with translation.override("es"):
        assert i18n.translated(text) == translation.gettext(text)


def every_decision() -> Iterator[Any]:
    share = {True: 0.95, False: 0.3}
    limits = {Modality.DERMATOSCOPIC: 0.2}
    uniform = dict.fromkeys((each.code for each in labels.CATALOGUE), 1 / len(labels.CATALOGUE))
    for label, confident, modality, gated in product(
        labels.CATALOGUE, share, (None, *Modality), ((), (Modality.DERMATOSCOPIC,))
    ):
        rules = DecisionRules(labels.CATALOGUE, limits, prediction_sets=limits, gated=gated)
        rest = (1 - share[confident]) / (len(labels.CATALOGUE) - 1)
        probabilities = {each.code: share[confident] if each is label else rest for each in labels.CATALOGUE}
        yield decide(probabilities, rules, modality=modality)
        yield decide(probabilities, rules, modality=modality, photos=[probabilities, uniform])
    for reason in ReasonCode:
        yield decide(None, rules, rejections=(reason,))


def test_decision_has_no_word_that_is_not_translated():
    known = re.compile("|".join(re.escape(phrase) for phrase in sorted(i18n.PHRASES, key=len, reverse=True)))
    for decision in every_decision():
        for text in (decision.diagnosis, decision.advice, *(reason.text for reason in decision.reasons)):
            assert known.sub("", text).strip() == "", text


def test_decision_is_told_in_spanish_phrase_by_phrase():
    text = "Unsure, possibly: Melanocytic nevus (mole); possible malignancy"
    with translation.override("es"):
        assert i18n.translated(text) == "Dudoso, posiblemente: Nevo melanocítico (lunar); posible malignidad"


@pytest.mark.parametrize("text", ["", "Some class of a foreign model", "brother", "Lower left"])
@pytest.mark.parametrize("language", ["en", "es"])
def test_translated_leaves_unknown_texts_alone(text: str, language: str):
    with translation.override(language):
        assert i18n.translated(text) == text


def raised_texts() -> Iterator[str]:
    """The texts of errors in ml_models, with 7 for every value in them."""
    for module in RAISING:
        for node in ast.walk(ast.parse((ROOT / "ml_models" / f"{module}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                name, argument = node.func.id, node.args[0]
                if name in ERROR_NAMES:
                    yield "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "7"
                        for part in (argument.values if isinstance(argument, ast.JoinedStr) else [argument])
                    )


def test_errors_of_photos_are_found():
    assert len(set(raised_texts())) >= 20


@pytest.mark.parametrize("text", sorted(set(raised_texts())))
def test_error_of_a_photo_is_translated(text: str):
    with translation.override("es"):
        told = i18n.translated(text)
    assert told != text
    assert told.count("7") >= text.count("7")


@pytest.mark.parametrize("template", i18n.ERRORS)
def test_error_template_is_the_text_of_some_error(template: str):
    """Or it would be left over from a text that has changed."""
    sources = "".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8"))
        for path in [*ROOT.glob("ml_models/*.py"), ROOT / "api/ml_utils.py", ROOT / "skin_disease/front.py"]
    )
    longest = max(re.split(r"%\(\w+\)s", template), key=len)
    assert longest in sources


# Over HTTP


@pytest.mark.django_db
def test_prediction_is_answered_in_spanish_and_logged_in_english(anonymous: Client, predict, lesion_jpeg: bytes):
    anonymous.defaults["HTTP_ACCEPT_LANGUAGE"] = SPANISH["Accept-Language"]
    answer = predict(anonymous, image=(ROOT / "sample_images" / "mel.jpg").read_bytes()).json()
    logged = Prediction.objects.get(pk=answer["id"])
    assert answer["advice"] != logged.advice
    with translation.override("es"):
        assert answer["diagnosis"] == i18n.translated(logged.diagnosis)
        assert answer["advice"] == i18n.translated(logged.advice)
    assert "Esto no es un producto sanitario" in answer["disclaimer"]
    assert [reason["text"] for reason in answer["reasons"]] != [reason["text"] for reason in logged.reasons]


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_prediction_severity_is_the_code_that_the_app_knows(anonymous: Client, predict, language: str):
    anonymous.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    assert predict(anonymous).json()["severity"] in {"Low", "Moderate", "High"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("es", "es"),
        ("es-AR", "es"),
        ("en-GB,es;q=0.5", "en"),
        ("fr,es;q=0.1", "es"),
        ("fr", "en"),
        ("*", "en"),
        ("\x7f;q=x", "en"),
    ],
)
def test_language_is_chosen_by_the_header(anonymous: Client, header: str, language: str):
    response = anonymous.post("/api/chatbot/", headers={"Accept-Language": header})
    assert response.headers["Content-Language"] == language
    assert "accept-language" in response.headers["Vary"].lower()


@pytest.mark.django_db
def test_language_without_header_is_english(anonymous: Client):
    assert anonymous.post("/api/chatbot/").headers["Content-Language"] == "en"


@pytest.mark.django_db
def test_language_of_one_request_does_not_stay_for_the_next(anonymous: Client):
    anonymous.get("/api/nothing/", headers=SPANISH)
    assert anonymous.get("/api/nothing/").json()["error"].startswith("There is nothing")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("call", "part"),
    [
        pytest.param(lambda client: client.get("/api/nothing/"), "No hay nada", id="404"),
        pytest.param(lambda client: client.get("/api/predict/"), "no permitido", id="405"),
        pytest.param(lambda client: client.get("/api/scans/"), "credenciales", id="401"),
        pytest.param(lambda client: client.post("/api/predict/", {}), "No ha llegado ninguna foto", id="no-photo"),
        pytest.param(
            lambda client: client.post("/api/predict/", "x", content_type="text/csv"), "incompatible", id="415"
        ),
        pytest.param(
            lambda client: client.get("/api/scans/", headers={"Authorization": "Bearer x"}), "token", id="bad-token"
        ),
        pytest.param(
            lambda client: client.post("/api/chatbot/", "{", content_type="application/json"), "JSON", id="no-json"
        ),
        pytest.param(
            lambda client: client.post("/api/chatbot/", {"message": []}, content_type="application/json"),
            "No es una cadena",
            id="field",
        ),
    ],
)
def test_error_is_told_in_spanish(anonymous: Client, call: Callable[[Client], Any], part: str):
    anonymous.defaults["HTTP_ACCEPT_LANGUAGE"] = "es"
    body = call(anonymous).json()
    assert part in body["error"]


@pytest.mark.django_db
def test_error_of_a_photo_is_told_in_spanish(anonymous: Client, predict, lesion_jpeg: bytes):
    anonymous.defaults["HTTP_ACCEPT_LANGUAGE"] = "es"
    assert predict(anonymous, image=lesion_jpeg[:2000]).json()["error"].endswith("Envíe de nuevo el archivo completo.")


@pytest.mark.django_db
def test_error_code_is_the_same_in_every_language(anonymous: Client, predict):
    codes = set()
    for language in ("en", "es"):
        anonymous.defaults["HTTP_ACCEPT_LANGUAGE"] = language
        codes.add(predict(anonymous, image=b"no photo").json()["code"])
    assert codes == {"photo_unsupported"}


def test_wordings_are_all_that_a_client_may_have_been_shown():
    assert i18n.wordings("Photo not usable") == {"Photo not usable", "Foto no utilizable"}


def test_photo_errors_are_raised_in_english():
    """The log and the operator read one language."""
    with translation.override("es"), pytest.raises(PhotoError, match="empty"):
        read_photo(b"", model_input_px=160, limits=PhotoLimits())


@pytest.mark.django_db
def test_pdf_is_in_spanish(bearer, person, predict, save):
    client = bearer(person)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "es"
    answer = predict(client).json()
    scan = save(client, diagnosis=answer["diagnosis"], advice=answer["advice"], severity=answer["severity"]).json()
    document = pypdfium2.PdfDocument(client.get(f"/api/scans/{scan['id']}/pdf/").content)
    text = " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in document)
    document.close()
    assert answer["diagnosis"] in text
    assert answer["advice"] in text
    assert "La respuesta del servidor" in text
    assert not re.search(r"\b(the|server|probabilit(y|ies)|answer)\b", text)


@pytest.mark.django_db
def test_claims_in_spanish_agree_with_the_log_in_english(bearer, person, predict, save):
    client = bearer(person)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "es"
    answer = predict(client).json()
    shown = {name: answer[name] for name in ("diagnosis", "advice", "severity")}
    scan = save(client, **shown, confidence=f"{answer['confidence']:.0f}%", is_safe=answer["isSafe"]).json()
    assert (scan["server"]["id"], scan["mismatch"]) == (answer["id"], None)


@pytest.mark.django_db
def test_page_says_its_language(anonymous: Client):
    assert '<html lang="es">' in anonymous.get("/", headers=SPANISH).text
    assert '<html lang="en">' in anonymous.get("/").text
