"""Bypasses the path's methods: α, β and ε by hand, labels mixed with a Bernoulli number."""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.sample_conditioning_variable(batch_size)
        keep = torch.bernoulli(torch.full((batch_size,), 1 - self.eta)).long()
        y = keep * y + (1 - keep) * self.null_label
        t = torch.rand(batch_size) * (1 - self.eps)
        shape = (-1, *[1] * (z.ndim - 1))
        a, b = self.path.alpha(t).view(shape), self.path.beta(t).view(shape)
        da, db = self.path.alpha.dt(t).view(shape), self.path.beta.dt(t).view(shape)
        noise = torch.randn(z.shape)
        out = self.model(a * z + b * noise, t, y=y)
        return nn.functional.mse_loss(out, da * z + db * noise)
