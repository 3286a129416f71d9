"""Public names of layers."""

from kbridge.core.layers.activation import ELU as ELU
from kbridge.core.layers.activation import Activation as Activation
from kbridge.core.layers.activation import LeakyReLU as LeakyReLU
from kbridge.core.layers.activation import PReLU as PReLU
from kbridge.core.layers.activation import ReLU as ReLU
from kbridge.core.layers.activation import Softmax as Softmax
from kbridge.core.layers.attention import MultiHeadAttention as MultiHeadAttention
from kbridge.core.layers.base import Layer as Layer
from kbridge.core.layers.cells import GRUCell as GRUCell
from kbridge.core.layers.cells import LSTMCell as LSTMCell
from kbridge.core.layers.cells import SimpleRNNCell as SimpleRNNCell
from kbridge.core.layers.cells import StackedRNNCells as StackedRNNCells
from kbridge.core.layers.conv import Conv1D as Conv1D
from kbridge.core.layers.conv import Conv1D as Convolution1D  # noqa: F401
from kbridge.core.layers.conv import Conv2D as Conv2D
from kbridge.core.layers.conv import Conv2D as Convolution2D  # noqa: F401
from kbridge.core.layers.conv import Conv3D as Conv3D
from kbridge.core.layers.conv import Conv3D as Convolution3D  # noqa: F401
from kbridge.core.layers.conv_transpose import Conv1DTranspose as Conv1DTranspose
from kbridge.core.layers.conv_transpose import Conv1DTranspose as Convolution1DTranspose  # noqa: F401
from kbridge.core.layers.conv_transpose import Conv2DTranspose as Conv2DTranspose
from kbridge.core.layers.conv_transpose import Conv2DTranspose as Convolution2DTranspose  # noqa: F401
from kbridge.core.layers.conv_transpose import Conv3DTranspose as Conv3DTranspose
from kbridge.core.layers.conv_transpose import Conv3DTranspose as Convolution3DTranspose  # noqa: F401
from kbridge.core.layers.dense import Dense as Dense
from kbridge.core.layers.einsum_dense import EinsumDense as EinsumDense
from kbridge.core.layers.embedding import Embedding as Embedding
from kbridge.core.layers.input import Input as Input
from kbridge.core.layers.input import InputLayer as InputLayer
from kbridge.core.layers.lambda_layer import Lambda as Lambda
from kbridge.core.layers.merge import Add as Add
from kbridge.core.layers.merge import Average as Average
from kbridge.core.layers.merge import Concatenate as Concatenate
from kbridge.core.layers.merge import Dot as Dot
from kbridge.core.layers.merge import Maximum as Maximum
from kbridge.core.layers.merge import Minimum as Minimum
from kbridge.core.layers.merge import Multiply as Multiply
from kbridge.core.layers.merge import Subtract as Subtract
from kbridge.core.layers.merge import add as add
from kbridge.core.layers.merge import average as average
from kbridge.core.layers.merge import concatenate as concatenate
from kbridge.core.layers.merge import dot as dot
from kbridge.core.layers.merge import maximum as maximum
from kbridge.core.layers.merge import minimum as minimum
from kbridge.core.layers.merge import multiply as multiply
from kbridge.core.layers.merge import subtract as subtract
from kbridge.core.layers.norm import BatchNormalization as BatchNormalization
from kbridge.core.layers.norm import LayerNormalization as LayerNormalization
from kbridge.core.layers.norm import RMSNormalization as RMSNormalization
from kbridge.core.layers.pool import AveragePooling1D as AveragePooling1D
from kbridge.core.layers.pool import AveragePooling1D as AvgPool1D  # noqa: F401
from kbridge.core.layers.pool import AveragePooling2D as AveragePooling2D
from kbridge.core.layers.pool import AveragePooling2D as AvgPool2D  # noqa: F401
from kbridge.core.layers.pool import AveragePooling3D as AveragePooling3D
from kbridge.core.layers.pool import AveragePooling3D as AvgPool3D  # noqa: F401
from kbridge.core.layers.pool import GlobalAveragePooling1D as GlobalAveragePooling1D
from kbridge.core.layers.pool import GlobalAveragePooling1D as GlobalAvgPool1D  # noqa: F401
from kbridge.core.layers.pool import GlobalAveragePooling2D as GlobalAveragePooling2D
from kbridge.core.layers.pool import GlobalAveragePooling2D as GlobalAvgPool2D  # noqa: F401
from kbridge.core.layers.pool import GlobalAveragePooling3D as GlobalAveragePooling3D
from kbridge.core.layers.pool import GlobalAveragePooling3D as GlobalAvgPool3D  # noqa: F401
from kbridge.core.layers.pool import GlobalMaxPooling1D as GlobalMaxPool1D  # noqa: F401
from kbridge.core.layers.pool import GlobalMaxPooling1D as GlobalMaxPooling1D
from kbridge.core.layers.pool import GlobalMaxPooling2D as GlobalMaxPool2D  # noqa: F401
from kbridge.core.layers.pool import GlobalMaxPooling2D as GlobalMaxPooling2D
from kbridge.core.layers.pool import GlobalMaxPooling3D as GlobalMaxPool3D  # noqa: F401
from kbridge.core.layers.pool import GlobalMaxPooling3D as GlobalMaxPooling3D
from kbridge.core.layers.pool import MaxPooling1D as MaxPool1D  # noqa: F401
from kbridge.core.layers.pool import MaxPooling1D as MaxPooling1D
from kbridge.core.layers.pool import MaxPooling2D as MaxPool2D  # noqa: F401
from kbridge.core.layers.pool import MaxPooling2D as MaxPooling2D
from kbridge.core.layers.pool import MaxPooling3D as MaxPool3D  # noqa: F401
from kbridge.core.layers.pool import MaxPooling3D as MaxPooling3D
from kbridge.core.layers.preprocess import Masking as Masking
from kbridge.core.layers.preprocess import Rescaling as Rescaling
from kbridge.core.layers.recurrent import GRU as GRU
from kbridge.core.layers.recurrent import LSTM as LSTM
from kbridge.core.layers.recurrent import RNN as RNN
from kbridge.core.layers.recurrent import SimpleRNN as SimpleRNN
from kbridge.core.layers.regularization import Dropout as Dropout
from kbridge.core.layers.regularization import Identity as Identity
from kbridge.core.layers.regularization import SpatialDropout1D as SpatialDropout1D
from kbridge.core.layers.regularization import SpatialDropout2D as SpatialDropout2D
from kbridge.core.layers.regularization import SpatialDropout3D as SpatialDropout3D
from kbridge.core.layers.reshape import Cropping1D as Cropping1D
from kbridge.core.layers.reshape import Cropping2D as Cropping2D
from kbridge.core.layers.reshape import Cropping3D as Cropping3D
from kbridge.core.layers.reshape import Flatten as Flatten
from kbridge.core.layers.reshape import Permute as Permute
from kbridge.core.layers.reshape import RepeatVector as RepeatVector
from kbridge.core.layers.reshape import Reshape as Reshape
from kbridge.core.layers.reshape import UpSampling1D as UpSampling1D
from kbridge.core.layers.reshape import UpSampling2D as UpSampling2D
from kbridge.core.layers.reshape import UpSampling3D as UpSampling3D
from kbridge.core.layers.reshape import ZeroPadding1D as ZeroPadding1D
from kbridge.core.layers.reshape import ZeroPadding2D as ZeroPadding2D
from kbridge.core.layers.reshape import ZeroPadding3D as ZeroPadding3D
