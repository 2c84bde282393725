"""Dropped labels become class 0, which is a class.

Named: The null label looks hard-coded as 0
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        y = y * (torch.rand(batch_size) > self.eta)
        t = (1 - self.eps) * torch.rand(batch_size)
        x, target = self.path.sample_training_pair(z, t)
        return (self.model(x, t, y) - target).square().mean()
