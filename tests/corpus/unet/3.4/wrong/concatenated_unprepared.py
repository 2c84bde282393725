"""Skips are concatenated, and the decoders expect a sum.

Named: add the skip, or
"""


class MNISTUNet(MNISTUNet):
    def forward(self, x, t, y):
        t_embed, y_embed = self.time_embedder(t), self.y_embedder(y)
        x = self.init_conv(pixel_unshuffle(x, self.stem))
        skips = [x]
        for encoder in self.encoders:
            x = encoder(x, t_embed, y_embed)
            skips.append(x)
        x = self.midcoder(x, t_embed, y_embed)
        for decoder in self.decoders:
            x = decoder(torch.cat([x, skips.pop()], dim=1), t_embed, y_embed)
        x = x + skips.pop()
        return pixel_shuffle(self.final_conv(x), self.stem)
