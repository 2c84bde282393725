"""The dropped and the kept items are two calls of the network, and their squares are pooled."""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        dropped = torch.rand(batch_size) < self.eta
        none = torch.full_like(y[dropped], self.null_label)
        free = self.model(x[dropped], t[dropped], none) - target[dropped]
        asked = self.model(x[~dropped], t[~dropped], y[~dropped]) - target[~dropped]
        return torch.cat([free, asked]).square().mean()
