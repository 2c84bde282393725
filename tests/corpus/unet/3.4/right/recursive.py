"""The U as a function that calls itself; modules called by `forward` and by keyword."""


class MNISTUNet(MNISTUNet):
    def forward(self, x, t, y):
        told = {"t_embed": self.time_embedder(t), "y_embed": self.y_embedder(y)}

        def inside(depth, x):
            if depth == len(self.encoders):
                return x + self.midcoder.forward(x, **told)
            below = inside(depth + 1, self.encoders[depth].forward(x, **told))
            up = self.decoders[len(self.encoders) - 1 - depth]
            return x + up.forward(below, **told)

        x = inside(0, self.init_conv(pixel_unshuffle(x, self.stem)))
        return pixel_shuffle(self.final_conv(x), self.stem)
