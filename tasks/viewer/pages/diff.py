"""Two samples next to each other, line by line."""

from tasks.viewer.addresses import SampleName, address_of_sample
from tasks.viewer.library import Library
from tasks.viewer.rendering import page
from tasks.viewer.texts import aligned_texts


def render(library: Library, left: SampleName, right: SampleName) -> str:
    """The page as HTML.

    Raises:
        UserError: one of them does not exist.
    """
    found = [library.set(each.samples) for each in (left, right)]
    shown = [library.sample(where, each.position, each.index) for where, each in zip(found, (left, right), strict=True)]
    return page(
        "diff.html.j2",
        title=f"{left.index} and {right.index}",
        sides=[
            {
                "set": each.samples,
                "position": each.position,
                "sample": one.sample,
                "graded": one.graded,
                "address": address_of_sample(each.samples, each.position, each.index),
            }
            for each, one in zip((left, right), shown, strict=True)
        ],
        aligned=aligned_texts(shown[0].sample.text, shown[1].sample.text),
    )
