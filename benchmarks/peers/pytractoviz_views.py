"""Draw a tractogram's three anatomical views by pyTractoViz, without its glass brain.

python pytractoviz_views.py TRACTOGRAM REFERENCE FOLDER
"""

import sys

from pytractoviz.viz import TractographyVisualizer


def main() -> None:
    """Draw as its own documentation does."""
    tractogram, reference, folder = sys.argv[1:]
    visualizer = TractographyVisualizer(reference_image=reference, output_directory=folder, figure_size=(800, 800))
    visualizer.generate_anatomical_views(tractogram, show_glass_brain=False)


if __name__ == "__main__":
    main()
