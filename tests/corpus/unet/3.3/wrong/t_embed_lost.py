"""Some layers are handed zeros in place of t_embed.

Named: not handed t_embed
Keeps: 2
"""


class Encoder(Encoder):
    def forward(self, x, t_embed, y_embed):
        x = self.layers[0](x, torch.zeros_like(t_embed), y_embed)
        for layer in self.layers[1:]:
            x = layer(x, t_embed, y_embed)
        return self.downsample(x)
