"""Public names of ops of linear algebra."""

from kbridge.core.ops.decompose import cholesky as cholesky
from kbridge.core.ops.decompose import cholesky_inverse as cholesky_inverse
from kbridge.core.ops.decompose import det as det
from kbridge.core.ops.decompose import eig as eig
from kbridge.core.ops.decompose import eigh as eigh
from kbridge.core.ops.decompose import eigvals as eigvals
from kbridge.core.ops.decompose import eigvalsh as eigvalsh
from kbridge.core.ops.decompose import inv as inv
from kbridge.core.ops.decompose import lu_factor as lu_factor
from kbridge.core.ops.decompose import qr as qr
from kbridge.core.ops.decompose import svd as svd
from kbridge.core.ops.decompose import svdvals as svdvals
from kbridge.core.ops.differentiate import jvp as jvp
from kbridge.core.ops.equations import lstsq as lstsq
from kbridge.core.ops.equations import matrix_power as matrix_power
from kbridge.core.ops.equations import matrix_rank as matrix_rank
from kbridge.core.ops.equations import pinv as pinv
from kbridge.core.ops.equations import solve as solve
from kbridge.core.ops.equations import solve_triangular as solve_triangular
from kbridge.core.ops.equations import tensorinv as tensorinv
from kbridge.core.ops.equations import tensorsolve as tensorsolve
from kbridge.core.ops.norms import matrix_norm as matrix_norm
from kbridge.core.ops.norms import norm as norm
from kbridge.core.ops.norms import vector_norm as vector_norm
from kbridge.core.ops.products import multi_dot as multi_dot
