"""The last skip is read and left on the pile.

Named: skips[-1] leaves it there
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
            x = decoder(x + skips[-1], t_embed, y_embed)
        x = x + skips.pop()
        return pixel_shuffle(self.final_conv(x), self.stem)
