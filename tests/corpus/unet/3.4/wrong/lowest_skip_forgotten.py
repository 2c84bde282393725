"""The skip around the midcoder is missing.

Named: what the midcoder returns
"""


class MNISTUNet(MNISTUNet):
    def forward(self, x, t, y):
        t_embed, y_embed = self.time_embedder(t), self.y_embedder(y)
        x = self.init_conv(pixel_unshuffle(x, self.stem))
        skips = []
        for encoder in self.encoders:
            skips.append(x)
            x = encoder(x, t_embed, y_embed)
        x = self.midcoder(x, t_embed, y_embed)
        for decoder in self.decoders:
            x = decoder(x, t_embed, y_embed) + skips.pop()
        return pixel_shuffle(self.final_conv(x), self.stem)
