"""The reviewer's pages: what two readers do, what neither may see before the answer, and that keys are only a help."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from PIL import Image

from accounts.models import AuditEvent, AuditKind
from api.models import Prediction, PredictionImage
from api.reviews import services
from api.reviews.classes import CLASS_KEYS
from api.reviews.models import Review, ReviewCase
from api.services.history import remark_on
from tests.api.reviews.conftest import address, case_of, probabilities, read

pytestmark = pytest.mark.django_db

ANSWER = {"answer": "class:mel", "basis": "opinion", "modality": "clinical"}
# Figures that occur nowhere else on a page.
TOLD = {
    "status": "uncertain",
    "label": "df",
    "diagnosis": "Unsure, possibly: Dermatofibroma; possible malignancy",
    "confidence_percent": 31.7,
    "severity": "High",
    "advice": "There are signs that need a doctor's eye: have a dermatologist look at it within days.",
    "reasons": [{"code": "low_confidence", "text": "Several diagnoses look about equally likely."}],
    "probabilities": probabilities(df=0.317, mel=0.283),
    "top": [{"label": "df", "name": "Dermatofibroma", "probability": 0.317}],
    "malignant_probability": 0.4642,
    "malignancy_threshold": 0.2391,
    "suspicious": True,
    "model_name": "secret-model",
    "age_years": 47,
    "sex": "female",
    "site": "left shoulder",
    "history": "Has grown since spring.",
}
SECRETS = (
    "possible malignancy", "Unsure, possibly", "31.7", "0.317", "High", "doctor's eye", "equally likely", "0.283",
    "28.3", "46.4", "0.46", "23.9", "0.23", "secret-model", "uncertain", "suspicious", "d" * 64, "a1a1",
    "melanoma, she said", "brightness", "175.5", "heat-map", "control", "ada@example.org", "Ada Lovelace",
    "Dr bert", "bert@example.org",
)  # fmt: skip


@pytest.fixture
def told(make_prediction, person) -> Prediction:
    """An answer of the model that says much, to somebody with a name."""
    person.full_name = "Ada Lovelace"
    person.save()
    prediction = make_prediction(user=person, **TOLD)
    prediction.images.update(gate_scores={"brightness": 175.5})
    remark_on(prediction=prediction, text="It is melanoma, she said")
    return prediction


def everything(response: Any) -> str:
    return response.text + repr(response.headers) + repr(response.cookies)


# Blindness


def test_case_page_says_nothing_of_the_model_of_others_or_of_the_person(
    logged_in, anna, bert, superuser, told: Prediction
):
    services.draw_control_sample(size=1, drawn_by=superuser, seed=1)
    services.require_second_opinion(cases=[case_of(told)])
    read(told, bert, "mel")
    response = logged_in(anna).get(address("read", told))
    assert response.status_code == 200
    assert not [secret for secret in SECRETS if secret in everything(response)]
    for fact in ("47", "female", "left shoulder", "Has grown since spring."):
        assert fact in response.text


def test_case_page_is_the_same_whatever_the_model_answered(logged_in, anna, told: Prediction):
    """But for the form's token, byte for byte."""
    client = logged_in(anna)

    def page() -> str:
        return re.sub(r'csrfmiddlewaretoken" value="\w+"', "", client.get(address("read", told)).text)

    before = page()
    plain = {"status": "ok", "severity": "Low", "label": "nv", "suspicious": False, "malignant_probability": 0.01}
    Prediction.objects.filter(pk=told.pk).update(**plain, is_safe=True, diagnosis="Melanocytic nevus (mole)")
    assert page() == before
    Prediction.objects.filter(pk=told.pk).update(
        status="rejected", label="", probabilities=None, severity="Moderate", is_safe=False
    )
    assert page() == before


@pytest.mark.parametrize("page", ["reveal", "heat_map"])
def test_answer_of_the_model_is_closed_before_ones_own(logged_in, anna, bert, told: Prediction, page: str):
    read(told, bert, "mel")
    services.require_second_opinion(cases=[case_of(told)])
    more = [told.images.get().pk] if page == "heat_map" else []
    response = logged_in(anna).get(address(page, told, *more))
    assert response.status_code == (404 if more else 302)
    assert not more or response.headers.get("Location") is None


def test_other_pages_of_the_administration_are_closed_to_reviewers(logged_in, anna, told: Prediction):
    read(told, anna)
    client = logged_in(anna)
    for page in (
        "/admin/api/prediction/", f"/admin/api/prediction/{told.pk}/change/",
        f"/admin/api/reviewcase/{told.pk}/change/",
        f"/admin/api/reviewcase/{told.pk}/history/", "/admin/api/scan/", "/admin/accounts/user/",
        "/admin/accounts/auditevent/", "/admin/api/tombstone/",
    ):  # fmt: skip
        assert client.get(page).status_code == 403, page
    photo = f"/admin/api/prediction/photo/{told.images.get().pk}/96/"
    assert client.get(photo).status_code == 404


def test_first_page_of_the_administration_leads_reviewers_to_the_queue(logged_in, anna):
    client = logged_in(anna)
    index = client.get("/admin/").text
    assert 'href="/admin/api/reviewcase/"' in index
    assert "/admin/api/prediction/" not in index
    assert client.get("/admin/api/reviewcase/").headers["Location"] == address("queue")


# The flow


def test_two_reviewers_read_disagree_and_a_third_resolves(settings, logged_in, anna, bert, cleo, told: Prediction):
    settings.REVIEW_SECOND_OPINION = frozenset({"malignant"})
    clients = {person: logged_in(person) for person in (anna, bert, cleo)}
    for person, answer in ((anna, "class:mel"), (bert, "class:nv"), (cleo, "class:mel")):
        opened = clients[person].get(address("next"))
        assert opened.headers["Location"] == address("read", told)
        clients[person].get(opened.headers["Location"])
        posted = clients[person].post(address("read", told), {**ANSWER, "answer": answer})
        assert posted.headers["Location"] == address("reveal", told)
        revealed = clients[person].get(posted.headers["Location"]).text
        for part in ("possible malignancy", "31.7", "46.4", "secret-model", "175.5", "It is melanoma, she said"):
            assert part in revealed
        assert "example.org" not in revealed.replace(person.email.upper(), "").replace(person.email, "")
        case = ReviewCase.objects.get()
        if person == bert:
            assert case.standing == "disputed"
            assert "Disagreement" in revealed
    assert (case.standing, case.label) == ("concluded", "mel")
    assert "Concluded" in clients[anna].get(address("reveal", told)).text
    assert clients[anna].get(address("next")).headers["Location"] == address("queue")


def test_revealed_page_compares_the_answer_with_the_models(page_of, anna, bert, make_prediction):
    for reader, answer, words in (
        (anna, "nv", "names the class that you"),
        (bert, "mel", "names another class than you"),
    ):
        prediction = make_prediction()
        read(prediction, reader, answer)
        assert words in page_of(reader, address("reveal", prediction))


@pytest.mark.parametrize("answer", ["not_a_lesion", "unsure", "class:scc"])
def test_every_button_is_an_answer(logged_in, anna, told: Prediction, answer: str):
    client = logged_in(anna)
    assert f'value="{answer}"' in client.get(address("read", told)).text
    client.post(address("read", told), {**ANSWER, "answer": answer})
    review = Review.objects.get()
    assert (f"class:{review.label}" if review.label else review.verdict) == answer


def test_skip_leaves_no_answer_and_gives_the_next(logged_in, anna, told: Prediction):
    client = logged_in(anna)
    client.get(address("read", told))
    response = client.post(address("read", told), {**ANSWER, "answer": "skip"}, follow=True)
    assert "nothing left" in response.text
    assert "Bring back the 1 case" in response.text
    assert not Review.objects.exists()
    again = client.post(address("take_back_skipped"), follow=True)
    assert again.redirect_chain[-1][0] == address("read", told)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"answer": "class:flu"},
        {**ANSWER, "basis": "hearsay"},
        {**ANSWER, "modality": ""},
        {**ANSWER, "answer": "class:"},
    ],
)
def test_form_that_is_not_valid_is_shown_again_and_stores_nothing(logged_in, anna, told: Prediction, form: Any):
    response = logged_in(anna).post(address("read", told), form)
    assert response.status_code == 200
    assert "errorlist" in response.text
    assert not Review.objects.exists()


def test_second_submit_keeps_the_first_answer_and_says_so(logged_in, anna, told: Prediction):
    client = logged_in(anna)
    client.post(address("read", told), ANSWER)
    response = client.post(address("read", told), {**ANSWER, "answer": "class:nv"}, follow=True)
    assert "your first answer stands" in response.text
    assert Review.objects.get().label == "mel"


def test_stale_page_of_a_case_that_went_to_another_is_no_lost_answer(logged_in, anna, bert, told: Prediction):
    slow, quick = logged_in(anna), logged_in(bert)
    slow.get(address("read", told))
    ReviewCase.objects.update(leased_until=None)
    quick.get(address("read", told))
    quick.post(address("read", told), {**ANSWER, "answer": "class:nv"})
    slow.post(address("read", told), ANSWER)
    assert sorted(Review.objects.values_list("label", flat=True)) == ["mel", "nv"]
    assert ReviewCase.objects.get().standing == "disputed"


def test_case_in_other_hands_is_not_opened(logged_in, anna, bert, told: Prediction):
    logged_in(bert).get(address("read", told))
    response = logged_in(anna).get(address("read", told), follow=True)
    assert response.redirect_chain[0][0] == address("next")
    assert "in other hands" in response.text


def test_case_deleted_meanwhile_is_said_and_not_a_500(logged_in, anna, told: Prediction):
    client = logged_in(anna)
    read_page, reveal_page = address("read", told), address("reveal", told)
    client.get(read_page)
    told.delete()
    response = client.post(read_page, ANSWER, follow=True)
    assert "reviews are gone" in response.text
    assert client.get(reveal_page).status_code == 302


def test_remark_result_and_second_opinion_are_added_after_the_answer(logged_in, anna, told: Prediction):
    client = logged_in(anna)
    client.post(address("read", told), ANSWER)
    client.post(address("second_opinion", told))
    client.post(address("remark", told), {"text": "Seen <b>again</b>."})
    page = client.post(address("result", told), {"finding": "class:scc", "basis": "histology"}, follow=True).text
    assert "Seen &lt;b&gt;again&lt;/b&gt;." in page
    case = ReviewCase.objects.get()
    assert (case.opinions_required, case.label, case.basis) == (2, "scc", "histology")
    assert Review.objects.first().label == "mel"


@pytest.mark.parametrize("form", [{"finding": "", "basis": "histology"}, {"finding": "class:mel", "basis": "opinion"}])
def test_result_that_is_not_valid_is_shown_again(logged_in, anna, told: Prediction, form: dict[str, str]):
    client = logged_in(anna)
    client.post(address("read", told), ANSWER)
    assert "errorlist" in client.post(address("result", told), form).text
    assert Review.objects.count() == 1


@pytest.mark.parametrize("page", ["remark", "result", "second_opinion"])
def test_addition_before_ones_own_answer_is_404(logged_in, anna, told: Prediction, page: str):
    case_of(told)
    form = {"text": "x", "finding": "class:mel", "basis": "histology"}
    assert logged_in(anna).post(address(page, told), form).status_code == 404
    assert not Review.objects.exists()


# Whose photos


def test_own_photo_is_no_case_for_oneself(logged_in, anna, make_prediction):
    own = make_prediction(user=anna)
    case_of(own)
    client = logged_in(anna)
    assert client.get(address("read", own)).headers["Location"] == address("queue")
    client.post(address("read", own), ANSWER)
    assert not Review.objects.exists()
    assert client.get(address("photo", own, own.images.get().pk, 96)).status_code == 404


def test_earlier_photos_of_the_same_person_are_shown(logged_in, anna, person, stranger, make_prediction):
    earlier = make_prediction(user=person, days_old=30, site="back", label="mel")
    make_prediction(user=person, days_old=-1)
    make_prediction(user=stranger, days_old=30)
    now = make_prediction(user=person)
    client = logged_in(anna)
    page = client.get(address("read", now)).text
    shown = set(re.findall(r"/photo/(\d+)/", page))
    assert shown == {str(image.pk) for image in (earlier.images.get(), now.images.get())}
    assert "30 days before, back" in page
    assert client.get(address("photo", now, earlier.images.get().pk, 400)).status_code == 200


def test_anonymous_photos_have_no_earlier_ones(page_of, anna, make_prediction):
    make_prediction(days_old=2)
    assert "Earlier photos" not in page_of(anna, address("read", make_prediction()))


def test_photo_opens_only_for_who_holds_or_has_read_the_case(logged_in, anna, bert, told: Prediction, make_prediction):
    image = told.images.get()
    holder, other = logged_in(anna), logged_in(bert)
    assert holder.get(address("photo", told, image.pk, 96)).status_code == 404
    holder.get(address("read", told))
    response = holder.get(address("photo", told, image.pk, 96))
    with Image.open(io.BytesIO(response.content)) as picture:
        assert (picture.format, max(picture.size)) == ("JPEG", 96)
    assert "private" in response.headers["Cache-Control"]
    assert other.get(address("photo", told, image.pk, 96)).status_code == 404
    assert holder.get(address("photo", told, make_prediction().images.get().pk, 96)).status_code == 404


def test_look_at_a_photo_is_recorded(logged_in, anna, told: Prediction):
    client = logged_in(anna)
    client.get(address("read", told))
    client.get(address("photo", told, told.images.get().pk, 96))
    event = AuditEvent.objects.get(kind=AuditKind.PHOTO_VIEWED)
    assert (event.actor, event.subject) == (anna, f"prediction {told.pk}")


def test_lost_photo_is_404(logged_in, anna, told: Prediction, media_root: Path):
    client = logged_in(anna)
    client.get(address("read", told))
    image = told.images.get()
    Path(image.photo.path).unlink()
    assert client.get(address("photo", told, image.pk, 96)).status_code == 404


# The heat map


@pytest.fixture
def answered(anonymous: Client, predict) -> Prediction:
    """A photo that the live model answered, without a map."""
    return Prediction.objects.get(pk=predict(anonymous).json()["id"])


def test_heat_map_is_drawn_when_it_is_looked_at(logged_in, anna, answered: Prediction):
    read(answered, anna)
    client, image = logged_in(anna), answered.images.get()
    heat_map = address("heat_map", answered, image.pk)
    assert heat_map in client.get(address("reveal", answered)).text
    with Image.open(io.BytesIO(client.get(heat_map).content)) as picture:
        assert picture.format == "PNG"
    assert PredictionImage.objects.get().activations is None


def test_heat_map_is_that_which_was_asked_for(logged_in, anna, anonymous: Client, predict, answered: Prediction):
    asked = Prediction.objects.get(pk=predict(anonymous, explain="true").json()["id"])
    pictures = []
    for prediction in (answered, asked):
        read(prediction, anna)
        pictures.append(logged_in(anna).get(address("heat_map", prediction, prediction.images.get().pk)).content)
    assert pictures[0] == pictures[1]


def test_heat_map_of_a_model_that_is_not_live_is_left_out(logged_in, anna, told: Prediction):
    read(told, anna)
    client = logged_in(anna)
    assert "heat-map" not in client.get(address("reveal", told)).text
    assert client.get(address("heat_map", told, told.images.get().pk)).status_code == 404


def test_pages_work_while_no_model_is_live(logged_in, anna, no_model, told: Prediction):
    client = logged_in(anna)
    assert "Melanoma" in client.get(address("read", told)).text
    client.post(address("read", told), ANSWER)
    assert client.get(address("reveal", told)).status_code == 200


# Classes and keys


def buttons(page: str) -> dict[str, str]:
    """Class code to key."""
    return dict(re.findall(r'value="class:([\w-]+)" data-key="(\w)"', page))


def test_keys_are_those_of_the_model_that_answered(page_of, anna, answered: Prediction):
    page = page_of(anna, address("read", answered))
    assert buttons(page) == dict(
        zip(("akiec", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc"), "12345678", strict=True)
    )
    assert [key for key in "nus" if f'data-key="{key}"' in page] == ["n", "u", "s"]


def test_foreign_classes_come_first_and_known_ones_can_be_named_too(logged_in, anna, make_prediction):
    prediction = make_prediction(label="tinea", probabilities={"tinea": 0.6, "ring_worm": 0.4})
    client = logged_in(anna)
    page = client.get(address("read", prediction)).text
    assert list(buttons(page))[:3] == ["ring_worm", "tinea", "akiec"]
    assert "Ring worm" in page
    client.post(address("read", prediction), {**ANSWER, "answer": "class:tinea"})
    assert Review.objects.get().label == "tinea"


def test_more_classes_than_keys_have_buttons_all_the_same(page_of, anna, make_prediction):
    shares = {f"class-{index:02}": 1 / 40 for index in range(40)}
    page = page_of(anna, address("read", make_prediction(label="class-00", probabilities=shares)))
    assert len(set(buttons(page).values())) == len(CLASS_KEYS)
    assert page.count('name="answer" value="class:') == 48


def test_class_keys_leave_the_pages_own_keys_alone():
    assert not set(CLASS_KEYS) & set("nuszmb")
    assert len(set(CLASS_KEYS)) == len(CLASS_KEYS)


# Headers and languages


@pytest.mark.parametrize("page", ["queue", "read", "reveal"])
def test_page_runs_nothing_inline(logged_in, anna, told: Prediction, page: str):
    if page == "reveal":
        read(told, anna)
    response = logged_in(anna).get(address(page, None if page == "queue" else told))
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)(?![^>]*application/json)", response.text)
    assert "no-store" in response.headers["Cache-Control"]


def test_page_files_exist():
    assert finders.find("api/review.css")
    assert finders.find("api/review.js")


def test_page_speaks_the_language_of_the_request(logged_in, anna, told: Prediction):
    page = logged_in(anna).get(address("read", told), headers={"Accept-Language": "es"}).text
    assert "No es una lesión" in page
    assert "Melanoma" in page


def test_queue_shows_own_answers_with_disagreements_first(logged_in, anna, bert, make_prediction):
    disputed, newest = make_prediction(), make_prediction()
    services.require_second_opinion(cases=[case_of(disputed)])
    read(disputed, anna, "mel")
    read(disputed, bert, "nv")
    read(newest, anna, "df")
    page = logged_in(anna).get(address("queue")).text
    assert page.index(address("reveal", disputed)) < page.index(address("reveal", newest))
    assert "read 2 cases today" in page
    assert address("reveal", newest) not in logged_in(bert).get(address("queue")).text


def test_queue_costs_the_same_queries_for_many_answers(logged_in, anna, make_prediction, django_assert_max_num_queries):
    for _ in range(12):
        read(make_prediction(), anna)
    client = logged_in(anna)
    with django_assert_max_num_queries(16):
        client.get(address("queue"))


def test_photo_that_a_reviewer_sent_is_not_offered_to_them(bearer, anna, bert, predict):
    predict(bearer(anna))
    assert services.open_next_case(reader=anna, seed=1) is None
    assert services.open_next_case(reader=bert, seed=1) is not None
