"""The lab's layer with the group normalisation written out, and other parameter names."""


class ResidualLayer(ResidualLayer):
    def normalised(self, hidden):
        groups = hidden.unflatten(1, (self.norm.num_groups, -1)).flatten(2)
        variance, mean = torch.var_mean(groups, dim=2, unbiased=False, keepdim=True)
        groups = (groups - mean) / torch.sqrt(variance + self.norm.eps)
        flat = groups.view_as(hidden)
        return self.norm.weight.view(-1, 1, 1) * flat + self.norm.bias.view(-1, 1, 1)

    def forward(self, image, time, label):
        told = self.time_adapter(time) + self.y_adapter(label)
        channels = told.shape[1] // 2
        scale, shift = told[:, :channels], told[:, channels:]
        hidden = torch.einsum("bchw,bc->bchw", self.normalised(self.block1(image)), 1 + scale)
        return self.block2(hidden + shift[..., None, None]) + image
