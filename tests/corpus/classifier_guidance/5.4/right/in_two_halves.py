"""Shows the classifier the batch in two halves, and averages their losses."""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x_start, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        x = self.diffusion.q_sample(x_start, t, torch.randn_like(x_start))
        losses = []
        for one, step, label in zip(x.chunk(2), t.chunk(2), y.chunk(2), strict=True):
            losses.append(cross_entropy(self.model(one, step), label) * len(label))
        return torch.stack(losses).sum() / batch_size
