"""x = t z + (1 − t) ε, whatever the path is.

Named: This is t z + (1 − t) ε, the straight road only
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        dropped = torch.rand(batch_size) < self.eta
        y = torch.where(dropped, self.null_label, y)
        t = (1 - self.eps) * torch.rand(batch_size)
        t_ = t.view(-1, *[1] * (z.ndim - 1))
        noise = torch.randn_like(z)
        x, target = t_ * z + (1 - t_) * noise, z - noise
        return (self.model(x, t, y) - target).square().mean()
