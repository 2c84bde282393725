"""A causal mask, as in a language model.

Named: an image has no before
"""

from torch.nn.functional import scaled_dot_product_attention


class MHA(MHA):
    def forward(self, x):
        q, k, v = rearrange(self.qkv(x), "b n (three h d) -> three b h n d", three=3, h=self.heads)
        heard = scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(rearrange(heard, "b h n d -> b n (h d)"))
