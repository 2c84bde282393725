"""One function for each figure that a lab shows. Each returns a matplotlib figure or an animation.

matplotlib and seaborn are imported where they are used, so that importing this package stays cheap.
Colours come from a palette that the colour-blind can tell apart; no figure is wider than a page.
"""

from course_utils.figures.animations import flow_animation
from course_utils.figures.curves import (
    line_figure,
    loss_curve,
    scores_against_scale,
    signal_to_noise,
    waves,
)
from course_utils.figures.diffusion import (
    counted_densities,
    gradient_maps,
    guidance_kinds,
    scores_by_steps,
)
from course_utils.figures.fields import density_sweep, field_animation, scatter_panels
from course_utils.figures.images import (
    class_grid,
    guidance_sweep,
    image_grid,
    noising_grid,
    samples_over_training,
    side_by_side,
)
from course_utils.figures.style import MARKERS, PAGE, Numbers, course_style, palette
from course_utils.figures.transformers import attention_maps, patches, positional_similarity

__all__ = [
    "MARKERS",
    "PAGE",
    "Numbers",
    "attention_maps",
    "class_grid",
    "counted_densities",
    "course_style",
    "density_sweep",
    "field_animation",
    "flow_animation",
    "gradient_maps",
    "guidance_kinds",
    "guidance_sweep",
    "image_grid",
    "line_figure",
    "loss_curve",
    "noising_grid",
    "palette",
    "patches",
    "positional_similarity",
    "samples_over_training",
    "scatter_panels",
    "scores_against_scale",
    "scores_by_steps",
    "side_by_side",
    "signal_to_noise",
    "waves",
]
