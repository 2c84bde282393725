"""q and k stay b n h d, so heads are compared with heads.

Named: Your scores compare heads instead of tokens
"""


class MHA(MHA):
    def forward(self, x):
        q, k, v = rearrange(self.qkv(x), "b n (three h d) -> three b n h d", three=3, h=self.heads)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return self.out((weights @ v).flatten(2))
