"""One random number for the batch, and steps spread evenly from there, then shuffled."""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def draw_steps(self, count):
        u = (torch.rand(1) + torch.arange(count) / count) % 1
        steps = (u * self.diffusion.num_steps).long().clamp(max=self.diffusion.num_steps - 1)
        return steps[torch.randperm(count)]

    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = self.draw_steps(batch_size)
        x = self.diffusion.q_sample(x, t, torch.randn(*x.shape))
        p = self.model(x, t).softmax(dim=1)
        return -p[range(batch_size), y].log().mean()
