"""Both adapters are split before the sum; keywords; -= and += on tensors of its own."""


class ResidualLayer(ResidualLayer):
    def forward(self, x, t_embed, y_embed):
        s_t, b_t = torch.chunk(input=self.time_adapter(t_embed), chunks=2, dim=-1)
        s_y, b_y = torch.chunk(input=self.y_adapter(y_embed), chunks=2, dim=-1)
        out = x.clone()
        hidden = self.norm(self.block1(x)).movedim(1, -1)
        hidden = torch.addcmul(hidden, hidden, (s_t + s_y)[:, None, None])
        hidden = hidden + (b_t + b_y)[:, None, None]
        out += self.block2(hidden.movedim(-1, 1))
        return out
