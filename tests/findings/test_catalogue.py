"""All findings, and the plan that lists them."""

import pytest

from findings import plan
from findings.catalogue import FINDINGS
from findings.catalogue import QUICK
from findings.catalogue import chosen
from findings.finding import seeded
from findings.run import BUDGETS
from findings.run import FULL

ALL = [*FINDINGS.items(), *QUICK.items()]


@pytest.mark.parametrize("budget", BUDGETS.values(), ids=lambda b: b.name)
def test_all_findings_are_of_a_kind(budget):
    for name, make in ALL:
        finding = make(budget)
        assert finding.name == name
        assert len({claim.name for claim in finding.claims}) == len(
            finding.claims
        )
        assert finding.claims or finding.draw
        for table in finding.tables:
            for one, seeds in table.rows.values():
                assert set(seeded([one], seeds)) <= set(finding.runs)
    assert [f.name for f in chosen([], BUDGETS["quick"])] == ["headline"]
    with pytest.raises(ValueError, match="T1.*Received: T9"):
        chosen(["T9"], FULL)


def test_the_plan_is_up_to_date():
    assert plan.tables() in plan.PLAN.read_text()
