"""The scale's part is 1 + scale already when it is taken apart; expand instead of None."""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        dim = x.shape[-1]
        knobs = self.ada_ln(c).unsqueeze(1).expand(-1, x.shape[1], -1)
        shift1, shift2 = knobs[..., :dim], knobs[..., dim : 2 * dim]
        scale1, scale2 = (knobs[..., 2 * dim : 4 * dim] + 1).chunk(2, dim=-1)
        gate1, gate2 = knobs[..., 4 * dim : 5 * dim], knobs[..., 5 * dim :]
        heard = self.attention(torch.addcmul(shift1, self.norm1(x), scale1))
        x = torch.lerp(x, x + heard, gate1)
        return x + self.mlp(self.norm2(x).mul(scale2).add(shift2)).mul(gate2)
