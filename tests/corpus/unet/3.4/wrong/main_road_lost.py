"""Each decoder is handed the skip alone; what came up from below is lost.

Named: No gradient reaches
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
            x = decoder(skips.pop(), t_embed, y_embed)
        x = x + skips.pop()
        return pixel_shuffle(self.final_conv(x), self.stem)
