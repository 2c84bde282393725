"""The heads are forgotten.

Named: as if there were a single head
Keeps: 2
"""


class MHA(MHA):
    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return self.out(weights @ v)
