"""A loop: each item has its own time, its own throw of the dice, and its own call."""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        images, labels = self.path.p_data.sample(batch_size)
        total = 0
        for z, y in zip(images.split(1), labels.split(1), strict=True):
            if torch.rand(()).item() < self.eta:
                y = torch.tensor([self.null_label])
            t = torch.rand(1) * (1 - self.eps)
            x, u = self.path.sample_training_pair(z, t)
            total = total + (self.model(x, t, y) - u).pow(2).sum()
        return total / batch_size
