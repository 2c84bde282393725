"""The skip at full resolution is missing, as in the original labs.

Named: Not used: the skip at 32×32
"""


class MNISTUNet(MNISTUNet):
    def forward(self, x, t, y):
        t_embed, y_embed = self.time_embedder(t), self.y_embedder(y)
        x = self.init_conv(pixel_unshuffle(x, self.stem))
        skips = []
        for encoder in self.encoders:
            x = encoder(x, t_embed, y_embed)
            skips.append(x)
        x = self.midcoder(x, t_embed, y_embed)
        for decoder in self.decoders:
            x = decoder(x + skips.pop(), t_embed, y_embed)
        return pixel_shuffle(self.final_conv(x), self.stem)
