"""The catalogue of the demonstration: three micro-credentials, a milestone, a stack and a pathway."""

from __future__ import annotations

from deploy.replay.cohort import Achievement, Body

ISSUER_ID = "example-institute"
ISSUER: Body = {
    "name": "Example Institute (demonstration)",
    "email": "badges@institute.example",  # Open Badges 2.0 asks for one
    "url": "https://institute.example/",
    "description": "An institution made up for the demonstration of Cairn. Its badges recognise nobody.",
}
WELCOME = "https://lms.example/activities/welcome"
READING_LESSON = "https://lms.example/activities/reading-data"
READING_QUIZ = "https://lms.example/assessments/reading-data"
CHARTS_STUDIO = "https://lms.example/assessments/charts"
CHARTS_PORTFOLIO = "https://lms.example/evidence/charts-portfolio"
ETHICS_CASE = "https://lms.example/assessments/ethics-case"
ETHICS_EXPERIENCE = "https://lms.example/evidence/ethics-experience"


def _achievement(achievement_id: str, kind: str, name: str, told: tuple[str, str], requirement: Body) -> Achievement:
    description, criteria = told
    body: Body = {
        "kind": kind,
        "issuer_id": ISSUER_ID,
        "name": name,
        "description": description,
        "criteria": criteria,
        "requirement": requirement,
        "tags": ["demonstration", "data"],
    }
    return Achievement(achievement_id, name, body)


def _activity(activity_id: str, label: str) -> Body:
    return {"kind": "activity", "activity_id": activity_id, "label": label}


def _assessment(assessment_id: str, at_least: str, label: str) -> Body:
    return {"kind": "assessment", "assessment_id": assessment_id, "at_least": at_least, "label": label}


def _evidence(component_id: str, label: str) -> Body:
    return {"kind": "evidence", "component_id": component_id, "label": label}


def _badge(achievement_id: str, label: str) -> Body:
    return {"kind": "badge", "achievement_id": achievement_id, "label": label}


CATALOGUE: tuple[Achievement, ...] = (
    _achievement(
        "first-steps",
        "milestone",
        "First steps",
        ("The holder found their way around and began.", "Complete the welcome activity."),
        _activity(WELCOME, "The welcome activity"),
    ),
    _achievement(
        "reading-data",
        "micro-credential",
        "Reading data",
        (
            "The holder reads tables and charts, and says what they do and do not show.",
            "Complete the lesson, and score 60 % or more in the quiz (the best attempt counts).",
        ),
        {
            "kind": "all",
            "of": [_activity(READING_LESSON, "The lesson"), _assessment(READING_QUIZ, "0.6", "The quiz: 60 % or more")],
        },
    ),
    _achievement(
        "charts-that-tell",
        "micro-credential",
        "Charts that tell",
        (
            "The holder chooses and draws the chart that answers a question honestly.",
            "Score 70 % or more in the studio task, with a portfolio verified by an assessor.",
        ),
        {
            "kind": "all",
            "of": [
                _assessment(CHARTS_STUDIO, "0.7", "The studio task: 70 % or more"),
                _evidence(CHARTS_PORTFOLIO, "A portfolio, verified by an assessor"),
            ],
        },
    ),
    _achievement(
        "data-ethics",
        "micro-credential",
        "Data ethics",
        (
            "The holder weighs whose data they use, for what, and with what harm.",
            "Score 50 % or more on the case, or have experience at work verified by an assessor.",
        ),
        {
            "kind": "any",
            "of": [
                _assessment(ETHICS_CASE, "0.5", "The case: 50 % or more"),
                _evidence(ETHICS_EXPERIENCE, "Experience at work, verified by an assessor"),
            ],
        },
    ),
    _achievement(
        "data-literacy",
        "stack",
        "Data literacy",
        ("The holder reads data and shows it.", "Any two of the three micro-credentials of the institute."),
        {
            "kind": "n-of",
            "n": 2,
            "of": [
                _badge("reading-data", "Reading data"),
                _badge("charts-that-tell", "Charts that tell"),
                _badge("data-ethics", "Data ethics"),
            ],
        },
    ),
    _achievement(
        "data-steward",
        "pathway",
        "Data steward",
        (
            "The holder is prepared to look after the data of a team.",
            "Data ethics, and the stack Data literacy.",
        ),
        {"kind": "all", "of": [_badge("data-ethics", "Data ethics"), _badge("data-literacy", "Data literacy")]},
    ),
)
