"""One time in each of b equal pieces of the interval, shuffled: still uniform for each item."""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        y = torch.where(torch.rand(batch_size) < self.eta, self.null_label, y)
        pieces = (torch.randperm(batch_size) + torch.rand(batch_size)) / batch_size
        t = pieces * (1 - self.eps)
        x, target = self.path.sample_training_pair(z, t)
        return torch.linalg.vector_norm(self.model(x, t, y) - target).square() / z.numel()
