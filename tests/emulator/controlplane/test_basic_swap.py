from .lab import running_lab
import pytest


@pytest.mark.parametrize("profile", ["1.8-gate", "1.9", "main"])
async def test_swap(profile):
    async with running_lab(profile) as lab:
        await lab.running_vm()
        await lab.swap("nad-b")
        await lab.until(
            "migrated",
            lambda: any(
                m.get("status", {}).get("phase") == "Succeeded" and not m["metadata"].get("finalizers")
                for m in lab.migrations()
            ),
        )
        await lab.quiet(10)
        import json

        for e, k, o in lab.history:
            if k == "Event":
                print(e, k, o["reason"], o["message"], o.get("count"))
            else:
                print(e, k, o["metadata"]["name"], json.dumps(o.get("status", {}))[:300])
        assert len(lab.migrations()) == 1
