"""The map: none, one or many places, to scale, north up, each ticket to be told from the next."""

import math
import re

import pytest

from crm.admin.map import APART, HEIGHT, TOGETHER, WIDTH, Place, draw
from crm.admin.map_scale import Units, distance, round_down, round_up, units_of
from tests.crm.admin_rows import enter, make_incident, make_point, make_ticket, page_of, text_of
from tests.crm.conftest import crm_property

pytestmark = pytest.mark.django_db
DEGREES, METRES = "EPSG:4326", "EPSG:32618"


def place(x, y, kind="customer"):
    return Place(x, y, kind, f"at {x} {y}", "/there/")


def at(mark):
    return float(mark.x), float(mark.y)


# -- drawing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [[], [place(math.nan, 1.0)], [place(1.0, math.inf)]], ids=str)
def test_without_coordinates_there_is_no_map(places):
    assert draw(places, DEGREES) is None


@pytest.mark.parametrize(("x", "y"), [(-73.9, 40.6), (0.0, 0.0), (180.0, 90.0), (-180.0, -90.0)])
def test_one_point_alone_stands_in_the_middle_of_its_neighbourhood(x, y):
    drawn = draw([place(x, y)], DEGREES)
    assert at(drawn.marks[0]) == (WIDTH / 2, HEIGHT / 2)
    assert drawn.bar == "100 m"
    assert "1 ticket around" in drawn.about


def test_north_is_up_and_east_is_right():
    south_west, north_east = draw([place(-73.9, 40.6), place(-73.8, 40.7)], DEGREES).marks
    assert float(south_west.x) < float(north_east.x)
    assert float(south_west.y) > float(north_east.y)


@pytest.mark.parametrize("spread", [0.001, 0.1, 10.0, 170.0])
def test_every_point_is_inside(spread):
    drawn = draw([place(-spread, -spread / 2), place(spread, spread / 2), place(0, 0)], DEGREES)
    for mark in drawn.marks:
        assert 0 < float(mark.x) < WIDTH
        assert 0 < float(mark.y) < HEIGHT


def test_both_directions_have_one_scale():
    """A square of 1000 m stays one, also where a degree of longitude is half as long as one of latitude."""
    step = 1000 / 111_320
    middle, east, north = draw(
        [place(10, 60), place(10 + step / math.cos(math.radians(60 + step / 2)), 60), place(10, 60 + step)],
        DEGREES,
    ).marks
    assert float(east.x) - float(middle.x) == pytest.approx(float(middle.y) - float(north.y), abs=0.3)


def test_the_scale_bar_is_as_long_as_it_says():
    drawn = draw([place(500_000, 4_500_000), place(502_000, 4_500_000)], METRES)
    west, east = drawn.marks
    metres_a_unit = 2000 / (float(east.x) - float(west.x))
    said = float(re.match(r"[\d.]+", drawn.bar)[0]) * (1000 if "km" in drawn.bar else 1)
    assert float(drawn.bar_length) * metres_a_unit == pytest.approx(said, rel=0.02)


@pytest.mark.parametrize("spread", [1e-5, 0.01, 1.0, 90.0])
def test_a_few_grid_lines_with_short_names(spread):
    drawn = draw([place(-spread, 0), place(spread, spread / 2)], DEGREES)
    for grid in (drawn.meridians, drawn.parallels):
        assert 1 <= len(grid) <= 7
        assert len({line.label for line in grid}) == len(grid)
        assert all(len(line.label) <= 12 for line in grid)


def test_grid_lines_end_where_the_earth_does():
    drawn = draw([place(-180, -90), place(180, 90)], DEGREES)
    assert all(float(re.match(r"[\d.]+", line.label)[0]) <= 90 for line in drawn.parallels)


def test_projected_coordinates_have_no_compass_letters():
    drawn = draw([place(500_000, 4_500_000)], METRES)
    assert all(re.fullmatch(r"\d+", line.label) for line in drawn.meridians)


# -- many at one place -------------------------------------------------------------------------------------


def test_tickets_of_one_place_stand_beside_each_other():
    marks = draw([place(1, 1) for _ in range(TOGETHER)], DEGREES).marks
    assert len(marks) == TOGETHER
    for number, mark in enumerate(marks):
        for other in marks[:number]:
            assert math.dist(at(mark), at(other)) >= APART * 0.8


def test_more_become_one_dot_with_their_number():
    (mark,) = draw([place(1, 1) for _ in range(TOGETHER + 1)], DEGREES, more="/all/").marks
    assert (mark.number, mark.link, mark.kind) == (TOGETHER + 1, "/all/", "customer")
    mixed = [place(1, 1) for _ in range(TOGETHER)] + [place(1, 1, "landbase")]
    assert draw(mixed, DEGREES).marks[0].kind == "mixed"


def test_of_many_dots_the_tables_have_the_links_for_the_keyboard():
    assert draw([place(number, 0) for number in range(30)], DEGREES).tab
    assert not draw([place(number, 0) for number in range(31)], DEGREES).tab


# -- units -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("projection", "units"),
    [
        (DEGREES, Units(degrees=True)),
        (METRES, Units(degrees=False)),
        ("EPSG:2263", Units(degrees=False, metres=0.30480060960121924)),
        ("no projection", Units(degrees=False)),
    ],
)
def test_units(projection, units):
    assert units_of(projection) == units


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [(1, 1, 1), (1.1, 2, 1), (2.5, 5, 2), (70, 100, 50), (0.03, 0.05, 0.02), (1000, 1000, 1000)],
)
def test_round_numbers(value, up, down):
    assert round_up(value) == pytest.approx(up)
    assert round_down(value) == pytest.approx(down)


@pytest.mark.parametrize(("metres", "said"), [(50, "50 m"), (1000, "1 km"), (2500, "2.5 km"), (0.5, "0.5 m")])
def test_distances(metres, said):
    assert distance(metres) == said


# -- on the page -------------------------------------------------------------------------------------------


def test_the_map_is_drawn_here_and_asks_nobody():
    incident = make_incident(x=-73.9, y=40.6)
    point = make_point()
    for _ in range(3):
        make_ticket(incident, kind="customer", service_point=point)
    make_ticket(incident, kind="location", x=-73.91, y=40.61, name="CC-9")
    make_ticket(incident)
    page = text_of(enter("Viewer").get(page_of(incident)))
    drawing = page[page.index('<svg viewBox="0 0 480 320"') : page.index("<figcaption>")]
    assert drawing.count('class="bb-spot bb-spot-customer"') == 3
    assert drawing.count('class="bb-spot bb-spot-location"') == 1
    assert drawing.count('class="bb-spot bb-spot-point"') == 1
    assert drawing.count('class="bb-spot bb-spot-incident"') == 1
    assert "<title>Location ticket CC-9: No Power/No Light</title>" in drawing
    assert 'aria-labelledby="map-title map-about"' in drawing
    assert "4 tickets around" in drawing
    assert "http" not in drawing
    assert "1 ticket has no coordinates and is not on the map." in page


def test_an_incident_whose_tickets_have_no_coordinates_says_so():
    incident = make_incident()
    make_ticket(incident)
    make_ticket(incident)
    page = text_of(enter("Viewer").get(page_of(incident)))
    assert "None of the 2 tickets has coordinates" in page
    assert "<figcaption>" not in page


def test_the_map_is_in_the_model_s_projection():
    crm_property("model.projection", METRES)
    incident = make_incident()
    make_ticket(incident, kind="location", x=500_000.0, y=4_500_000.0)
    assert "1 ticket around x 500000, y 4500000." in text_of(enter("Viewer").get(page_of(incident)))
