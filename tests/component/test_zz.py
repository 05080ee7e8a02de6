from .town import Town, left_out, offered
from shouwang.common.testing import *
from .conftest import Services
async def test_x(town: Town, services: Services, db):
    await town.patrol(a=100,b=200)
    said = await town.open()
    assert offered(said)==["a"], said
    print(said)
    print(await town.incident(said["incident"]))
    print(await town.respond(said["tasks"][0], "accept"))
    print(await eventually(lambda: town.steps(said["tasks"][0]["task"])))
    print(metric(await services.page("location","metrics"), "location_reports_accepted_total"))
