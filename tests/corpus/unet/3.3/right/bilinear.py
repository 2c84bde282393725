"""Goes up by bilinear interpolation, and through its layers by number."""


class Decoder(Decoder):
    def forward(self, x, t_embed, y_embed):
        x = nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear")
        x = self.upsample[1](x)
        for number in range(len(self.layers)):
            x = self.layers[number](x, t_embed, y_embed)
        return x
