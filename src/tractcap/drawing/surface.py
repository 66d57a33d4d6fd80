"""A smooth surface around a body on a grid. Loads VTK."""

import numpy as np
from scipy.ndimage import gaussian_filter
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

from tractcap.drawing.anatomy import Mesh
from tractcap.inputs.images import Volume


def contour(body: Volume, smoothing: float) -> Mesh | None:
    """The surface of a body.

    Parameters
    ----------
    body : 255 inside and 0 outside, on a grid along the axes of the world.
    smoothing : standard deviation in voxels.

    Returns
    -------
    None where it is empty.
    """
    smooth = gaussian_filter(np.pad(body.data, 6).astype(np.float32), smoothing)
    if smooth.max() < 128:
        return None
    grid = vtkImageData()
    grid.SetDimensions(*smooth.shape)
    grid.SetSpacing(*np.diag(body.affine)[:3])
    grid.SetOrigin(*(body.affine[:3, 3] - 6 * np.diag(body.affine)[:3]))
    flat = smooth.ravel(order="F")
    grid.GetPointData().SetScalars(numpy_to_vtk(flat))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(grid)
    edges.SetValue(0, 127.5)
    edges.ComputeNormalsOn()
    edges.Update()
    surface = edges.GetOutput()
    return Mesh(
        vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float32),
        vtk_to_numpy(surface.GetPointData().GetNormals()).astype(np.float32),
        vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).astype(np.int64).reshape(-1, 3),
    )
