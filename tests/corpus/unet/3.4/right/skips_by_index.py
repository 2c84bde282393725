"""Keeps every state, and takes the skips by their place from the end."""


class MNISTUNet(MNISTUNet):
    def forward(self, x, t, y):
        t_embed, y_embed = self.time_embedder(t), self.y_embedder(y)
        x = self.init_conv(pixel_unshuffle(x, self.stem))
        states = [x]
        for down in self.encoders:
            states += [down(states[-1], t_embed, y_embed)]
        x = self.midcoder(states[-1], t_embed, y_embed)
        for up, skip in zip(self.decoders, states[::-1], strict=False):
            x = up(torch.add(x, skip.clone()), t_embed, y_embed)
        x = x + states[0]
        return pixel_shuffle(self.final_conv(x), self.stem)
