"""Patches, attention and positions stand where they belong."""

import io

import numpy as np
import pytest
import torch
from matplotlib.patches import Rectangle

from course_utils import figures


class TestPatches:
    image = torch.arange(64.0).reshape(1, 1, 8, 8) / 32 - 1

    def test_whole_apart_and_in_order(self) -> None:
        whole, apart, row = figures.patches(self.image, 2).axes
        assert np.allclose(whole.images[0].get_array(), self.image[0, 0])
        # Patches of 2 × 2 with gaps of 1; token 5 is the second of the second row.
        token = self.image[0, 0, 2:4, 2:4]
        assert np.allclose(apart.images[0].get_array()[3:5, 3:5], token)
        assert np.allclose(row.images[0].get_array()[:2, 15:17], token)
        assert apart.images[0].get_array().shape == (11, 11)
        assert np.ma.getmaskarray(apart.images[0].get_array())[2].all()
        assert [text.get_text() for text in row.texts] == ["0", "4", "8", "12"]
        assert apart.get_title() == "4 × 4 patches" and row.get_title() == "16 tokens, in order"

    def test_a_long_row_goes_on_below(self) -> None:
        row = figures.patches(self.image, 1).axes[2]
        data = row.images[0].get_array()
        assert np.allclose(data[0, ::2], self.image.flatten()[:16])
        assert np.allclose(data[2, ::2], self.image.flatten()[16:32])
        assert [text.get_text() for text in row.texts][4] == "16"

    def test_a_row_for_each_image(self) -> None:
        assert len(figures.patches(torch.randn(3, 1, 8, 8), 4).axes) == 9

    @pytest.mark.parametrize("patch_size", [3, 0])
    def test_patches_must_tile_the_image(self, patch_size: int) -> None:
        with pytest.raises(ValueError, match="multiples of the patch size"):
            figures.patches(self.image, patch_size)


class TestAttentionMaps:
    image = torch.randn(1, 8, 12)
    weights = torch.rand(3, 24, 24).softmax(-1)

    def test_a_row_for_each_query_and_a_column_for_each_head(self) -> None:
        figure = figures.attention_maps(self.image, self.weights, [0, 13], 2)
        axes = figure.axes[:8]
        assert [ax.get_title() for ax in axes[:4]] == ["image", "head 0", "head 1", "head 2"]
        assert [axes[i].get_ylabel() for i in (0, 4)] == ["from token 0", "from token 13"]
        for ax, head in zip(axes[5:8], range(3), strict=True):
            assert np.allclose(ax.images[0].get_array(), self.weights[head, 13].reshape(4, 6))
        ranges = {ax.images[0].get_clim() for ax in axes[1:4] + axes[5:8]}
        assert len(ranges) == 1  # one colour bar for all

    def test_the_query_is_framed(self) -> None:
        figure = figures.attention_maps(self.image, self.weights, [13], 2)
        for ax in figure.axes[:4]:
            frames = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
            # Token 13 is the second of the third row of six.
            assert {frame.get_xy() for frame in frames} == {(1.5, 3.5)}
            assert {(frame.get_width(), frame.get_height()) for frame in frames} == {(2, 2)}

    def test_an_image_without_an_outline(self) -> None:
        figure = figures.attention_maps(-torch.ones(1, 8, 12), self.weights, [0], 2)
        figure.savefig(io.BytesIO())

    @pytest.mark.parametrize(
        ("weights", "queries"), [(torch.rand(3, 25, 25), [0]), (torch.rand(3, 24, 24), [24])]
    )
    def test_errors(self, weights: torch.Tensor, queries: list[int]) -> None:
        with pytest.raises(ValueError, match=r"expected \(heads, 24, 24\) and tokens from 0 to 23"):
            figures.attention_maps(self.image, weights, queries, 2)


class TestPositionalSimilarity:
    def test_each_map_is_brightest_at_its_own_place(self) -> None:
        positions = torch.randn(16, 8)
        figure = figures.positional_similarity(positions)
        data = np.ma.filled(figure.axes[0].images[0].get_array(), np.nan)
        assert data.shape == (19, 19)  # 4 maps of 4, with gaps of 1
        unit = positions / positions.norm(dim=1, keepdim=True)
        for token in range(16):
            row, column = divmod(token, 4)
            shown = data[5 * row : 5 * row + 4, 5 * column : 5 * column + 4]
            assert np.allclose(shown, (unit @ unit[token]).reshape(4, 4), atol=1e-6)
            assert shown.argmax() == token
        assert np.isnan(data[4]).all() and np.isnan(data[:, 9]).all()

    def test_trained_positions_in_half_precision(self) -> None:
        positions = torch.nn.Parameter(torch.randn(9, 4, dtype=torch.bfloat16))
        figures.positional_similarity(positions).savefig(io.BytesIO())

    def test_tokens_must_form_a_square(self) -> None:
        with pytest.raises(ValueError, match="there are 17 positions"):
            figures.positional_similarity(torch.randn(17, 4))
