"""Heads are folded into the batch in one order, and taken out in the other.

Named: The items of a batch influence each other
"""


class MHA(MHA):
    def forward(self, x):
        q, k, v = rearrange(
            self.qkv(x), "b n (three h d) -> three (b h) n d", three=3, h=self.heads
        )
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), dim=-1)
        return self.out(rearrange(weights @ v, "(h b) n d -> b n (h d)", h=self.heads))
