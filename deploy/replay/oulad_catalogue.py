"""The catalogue that the OULAD files ask for: a micro-credential a module, two stacks and a pathway over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deploy.replay.cohort import Achievement, Body
from deploy.replay.oulad_files import Assessment, Presentation

ISSUER_ID = "oulad"
ISSUER: Body = {
    "name": "Open University (data set)",
    "url": "https://analyse.kmi.open.ac.uk/open_dataset",
    "description": "Badges computed from the anonymised Open University Learning Analytics data set (CC BY 4.0).",
}
PASS_MARK = "0.4"  # noqa: S105 - of an assessment: 40 of 100
STEM = ("CCC", "DDD", "EEE", "FFF")
SOCIAL_SCIENCES = ("AAA", "BBB", "GGG")


def assessment_name(assessment_id: str) -> str:
    """How scores name an assessment."""
    return f"oulad:assessment:{assessment_id}"


def activity_name(assessment_id: str) -> str:
    """How completions name the handing in of an assessment."""
    return f"oulad:submission:{assessment_id}"


def build_catalogue(assessments: Iterable[Assessment]) -> tuple[Achievement, ...]:
    """What can be earned with these assessments, in an order in which it can be published.

    A stack exists when at least two of its modules do, the pathway when each group has one.
    """
    modules = _modules(assessments)
    found = [_micro_credential(module, presentations) for module, presentations in sorted(modules.items())]
    groups = [
        ("stem-foundations", "STEM foundations", [module for module in STEM if module in modules]),
        (
            "social-sciences-foundations",
            "Social sciences foundations",
            [module for module in SOCIAL_SCIENCES if module in modules],
        ),
    ]
    found += [_stack(*group) for group in groups if len(group[2]) >= 2]
    if all(members for _, _, members in groups):
        found.append(_breadth([(name, members) for _, name, members in groups]))
    return tuple(found)


def _modules(assessments: Iterable[Assessment]) -> Mapping[str, Mapping[Presentation, list[str]]]:
    """The ids of what counts, by module and presentation: all but the exams, which have no scores of their own."""
    modules: dict[str, dict[Presentation, list[str]]] = {}
    for assessment in assessments:
        if not assessment.is_exam:
            presentation = assessment.presentation
            counted = modules.setdefault(presentation.module, {}).setdefault(presentation, [])
            counted.append(assessment.assessment_id)
    return modules


def _micro_credential(module: str, presentations: Mapping[Presentation, list[str]]) -> Achievement:
    ways = [
        {
            "kind": "all",
            "label": f"Presentation {presentation.code}",
            "of": [_assessment(number, assessment_id) for number, assessment_id in enumerate(assessment_ids, 1)],
        }
        for presentation, assessment_ids in sorted(presentations.items())
    ]
    requirement = ways[0] if len(ways) == 1 else {"kind": "any", "of": ways}
    body = _body(
        "micro-credential",
        f"Module {module}",
        f"The holder passed every continuous assessment of module {module} of the Open University.",
        f"A score of 40 or more out of 100 in every assessment, exams apart, of one presentation of {module}.",
        requirement,
    )
    return Achievement(module.lower(), module, body)


def _assessment(number: int, assessment_id: str) -> Body:
    return {
        "kind": "assessment",
        "assessment_id": assessment_name(assessment_id),
        "at_least": PASS_MARK,
        "label": f"Assessment {number}: 40 or more out of 100",
    }


def _stack(achievement_id: str, name: str, members: list[str]) -> Achievement:
    body = _body(
        "stack",
        name,
        f"The holder earned two micro-credentials out of {', '.join(members)}.",
        f"Any two of the micro-credentials {', '.join(members)}.",
        {"kind": "n-of", "n": 2, "of": _badges(members)},
    )
    return Achievement(achievement_id, name, body)


def _breadth(groups: list[tuple[str, list[str]]]) -> Achievement:
    parts = [{"kind": "any", "label": name, "of": _badges(members)} for name, members in groups]
    body = _body(
        "pathway",
        "Breadth",
        "The holder earned micro-credentials both in STEM and in the social sciences.",
        "; ".join(f"at least one of {', '.join(members)}" for _, members in groups).capitalize() + ".",
        {"kind": "all", "of": parts},
    )
    return Achievement("breadth", "Breadth", body)


def _badges(modules: list[str]) -> list[Body]:
    return [{"kind": "badge", "achievement_id": module.lower(), "label": f"Module {module}"} for module in modules]


def _body(kind: str, name: str, description: str, criteria: str, requirement: Body) -> Body:
    return {
        "kind": kind,
        "issuer_id": ISSUER_ID,
        "name": name,
        "description": description,
        "criteria": criteria,
        "requirement": requirement,
    }
