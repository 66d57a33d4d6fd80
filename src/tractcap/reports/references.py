"""What methods are cited by."""

from dataclasses import dataclass
from html import escape
from urllib.parse import quote


@dataclass(frozen=True)
class Citation:
    """``short`` is how the text names it, ``rest`` what the list adds to its authors."""

    short: str
    authors: str
    rest: str
    doi: str = ""

    @property
    def plain(self) -> str:
        """As a line of text."""
        return f"{self.authors} {self.rest}" + (f" https://doi.org/{self._path}" if self.doi else "")

    @property
    def html(self) -> str:
        """As HTML, with a link."""
        link = f' <a href="https://doi.org/{escape(self._path)}">doi:{escape(self.doi)}</a>' if self.doi else ""
        return f"{escape(self.authors)} {escape(self.rest)}{link}"

    @property
    def _path(self) -> str:
        return quote(self.doi, safe="/:;()")


REFERENCES = {
    "vtk": Citation(
        "Schroeder et al., 2006",
        "Schroeder W, Martin K, Lorensen B (2006).",
        "The Visualization Toolkit, 4th edition. Kitware. ISBN 978-1-930934-19-1.",
    ),
    "nibabel": Citation(
        "Brett et al.", "Brett M, Markiewicz CJ, Hanke M, et al.", "nibabel. Zenodo.", "10.5281/zenodo.591597"
    ),
    "numpy": Citation(
        "Harris et al., 2020",
        "Harris CR, Millman KJ, van der Walt SJ, et al. (2020).",
        "Array programming with NumPy. Nature 585:357–362.",
        "10.1038/s41586-020-2649-2",
    ),
    "scipy": Citation(
        "Virtanen et al., 2020",
        "Virtanen P, Gommers R, Oliphant TE, et al. (2020).",
        "SciPy 1.0: fundamental algorithms for scientific computing in Python. Nature Methods 17:261–272.",
        "10.1038/s41592-019-0686-2",
    ),
    "dipy": Citation(
        "Garyfallidis et al., 2014",
        "Garyfallidis E, Brett M, Amirbekian B, Rokem A, van der Walt S, Descoteaux M, Nimmo-Smith I, Dipy "
        "Contributors (2014).",
        "Dipy, a library for the analysis of diffusion MRI data. Frontiers in Neuroinformatics 8:8.",
        "10.3389/fninf.2014.00008",
    ),
    "matplotlib": Citation(
        "Hunter, 2007",
        "Hunter JD (2007).",
        "Matplotlib: a 2D graphics environment. Computing in Science & Engineering 9(3):90–95.",
        "10.1109/MCSE.2007.55",
    ),
    "catmull": Citation(
        "Catmull and Rom, 1974",
        "Catmull E, Rom R (1974).",
        "A class of local interpolating splines. In: Computer Aided Geometric Design, 317–326. Academic Press.",
        "10.1016/B978-0-12-079050-0.50020-5",
    ),
    "boucheny": Citation(
        "Boucheny, 2009",
        "Boucheny C (2009).",
        "Visualisation scientifique de grands volumes de données : pour une approche perceptive. PhD thesis, "
        "Université Joseph Fourier, Grenoble.",
    ),
    "bavoil": Citation(
        "Bavoil and Myers, 2008",
        "Bavoil L, Myers K (2008).",
        "Order independent transparency with dual depth peeling. NVIDIA.",
    ),
    "pajevic": Citation(
        "Pajevic and Pierpaoli, 1999",
        "Pajevic S, Pierpaoli C (1999).",
        "Color schemes to represent the orientation of anisotropic tissues from diffusion tensor data: application to "
        "white matter fiber tract mapping in the human brain. Magnetic Resonance in Medicine 42(3):526–540.",
        "10.1002/(SICI)1522-2594(199909)42:3<526::AID-MRM15>3.0.CO;2-J",
    ),
    "okabe": Citation(
        "Okabe and Ito, 2008",
        "Okabe M, Ito K (2008).",
        "Color universal design: how to make figures and presentations that are friendly to colorblind people.",
    ),
    "calamante": Citation(
        "Calamante et al., 2010",
        "Calamante F, Tournier JD, Jackson GD, Connelly A (2010).",
        "Track-density imaging (TDI): super-resolution white matter imaging using whole-brain track-density mapping. "
        "NeuroImage 53(4):1233–1243.",
        "10.1016/j.neuroimage.2010.07.024",
    ),
    "quickbundles": Citation(
        "Garyfallidis et al., 2012",
        "Garyfallidis E, Brett M, Correia MM, Williams GB, Nimmo-Smith I (2012).",
        "QuickBundles, a method for tractography simplification. Frontiers in Neuroscience 6:175.",
        "10.3389/fnins.2012.00175",
    ),
    "cividis": Citation(
        "Nuñez et al., 2018",
        "Nuñez JR, Anderton CR, Renslow RS (2018).",
        "Optimizing colormaps with consideration for color vision deficiency to enable accurate interpretation of "
        "scientific data. PLoS ONE 13(7):e0199239.",
        "10.1371/journal.pone.0199239",
    ),
    "otsu": Citation(
        "Otsu, 1979",
        "Otsu N (1979).",
        "A threshold selection method from gray-level histograms. IEEE Transactions on Systems, Man, and Cybernetics "
        "9(1):62–66.",
        "10.1109/TSMC.1979.4310076",
    ),
    "edges": Citation(
        "Schroeder et al., 2015",
        "Schroeder W, Maynard R, Geveci B (2015).",
        "Flying edges: a high-performance scalable isocontouring algorithm. IEEE 5th Symposium on Large Data Analysis "
        "and Visualization, 33–40.",
        "10.1109/LDAV.2015.7348069",
    ),
}
