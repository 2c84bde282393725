"""The network learns the noise, as in diffusion models.

Named: The target is the noise ε
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        dropped = torch.rand(batch_size) < self.eta
        y = torch.where(dropped, self.null_label, y)
        t = (1 - self.eps) * torch.rand(batch_size)
        t_ = t.view(-1, *[1] * (z.ndim - 1))
        noise = torch.randn_like(z)
        x = self.path.alpha(t_) * z + self.path.beta(t_) * noise
        return (self.model(x, t, y) - noise).square().mean()
