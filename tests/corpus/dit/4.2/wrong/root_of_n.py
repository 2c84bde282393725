"""The size of the wrong axis: the root of the number of tokens.

Named: The scores are divided by √n
Keeps: 2
"""


class MHA(MHA):
    def forward(self, x):
        q, k, v = rearrange(self.qkv(x), "b n (three h d) -> three b h n d", three=3, h=self.heads)
        weights = torch.softmax(q @ k.transpose(-2, -1) / q.shape[2] ** 0.5, dim=-1)
        return self.out(rearrange(weights @ v, "b h n d -> b n (h d)"))
