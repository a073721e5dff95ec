"""The words of evacuation alerts, in every language: rendered, checked, with a line of shelters."""

from notifications.wording.checks import templates_missing as templates_missing
from notifications.wording.checks import texts_agree as texts_agree
from notifications.wording.checks import texts_complete as texts_complete
from notifications.wording.rendering import AREA_MAX as AREA_MAX
from notifications.wording.rendering import Act as Act
from notifications.wording.rendering import Values as Values
from notifications.wording.rendering import WordingError as WordingError
from notifications.wording.rendering import as_drill as as_drill
from notifications.wording.rendering import render as render
from notifications.wording.shelters import shelter_line as shelter_line
from notifications.wording.templates import hazard_name as hazard_name
from notifications.wording.templates import levels_for as levels_for
from notifications.wording.templates import order_name as order_name
