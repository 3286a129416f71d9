"""Public names of ops on images."""

from kbridge.core.ops.image import gaussian_blur as gaussian_blur
from kbridge.core.ops.image import hsv_to_rgb as hsv_to_rgb
from kbridge.core.ops.image import rgb_to_grayscale as rgb_to_grayscale
from kbridge.core.ops.image import rgb_to_hsv as rgb_to_hsv
from kbridge.core.ops.image import sobel_edges as sobel_edges
from kbridge.core.ops.image import ssim as ssim
from kbridge.core.ops.image_parts import crop_images as crop_images
from kbridge.core.ops.image_parts import extract_patches as extract_patches
from kbridge.core.ops.image_parts import extract_patches_3d as extract_patches_3d
from kbridge.core.ops.image_parts import pad_images as pad_images
from kbridge.core.ops.resize import resize as resize
from kbridge.core.ops.resize import scale_and_translate as scale_and_translate
from kbridge.core.ops.warp import affine_transform as affine_transform
from kbridge.core.ops.warp import elastic_transform as elastic_transform
from kbridge.core.ops.warp import map_coordinates as map_coordinates
from kbridge.core.ops.warp import perspective_transform as perspective_transform
