"""Small helpers, numpy's dice for the labels, and a mean of the items' means."""


class CFGTrainer(CFGTrainer):
    def drop(self, y):
        import numpy

        dice = torch.from_numpy(numpy.random.default_rng().random(len(y)))
        return y + (dice < self.eta) * (self.null_label - y)

    def item_losses(self, z, y, t):
        x, velocity = self.path.sample_training_pair(z=z, t=t)
        difference = self.model(x, t, y) - velocity
        return difference.pow(2).flatten(start_dim=1).mean(dim=1)

    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(num_samples=batch_size)
        t = torch.rand(batch_size, dtype=torch.float64).mul(1 - self.eps).to(z.dtype)
        return self.item_losses(z, self.drop(y), t).mean()
