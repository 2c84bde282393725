"""GroupNorm with one channel a group behind the sum, which erases a plain shift: so it scales."""


class ResidualLayer(nn.Module):
    def __init__(self, channels, time_embed_dim, y_embed_dim):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.GroupNorm(channels, channels, affine=False)
        self.of_t = nn.Linear(time_embed_dim, 2 * channels)
        self.of_y = nn.Linear(y_embed_dim, 2 * channels)

    def forward(self, x, t_embed, y_embed):
        scale, shift = torch.tensor_split(self.of_t(t_embed) + self.of_y(y_embed), 2, dim=1)
        hidden = self.norm(self.conv1(x))
        hidden = torch.addcmul(shift[..., None, None], hidden, 1 + scale[..., None, None])
        return x + self.conv2(nn.functional.silu(hidden))
