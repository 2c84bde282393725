"""Times, mask and noise come from a generator that the trainer keeps."""


class CFGTrainer(CFGTrainer):
    def __init__(self, path, eta, null_label, eps=1e-3):
        super().__init__(path, eta, null_label, eps)
        self.stream = torch.Generator().manual_seed(torch.initial_seed() + 1)

    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        numbers = torch.rand(2, batch_size, generator=self.stream)
        y = torch.where(numbers[0] >= 1 - self.eta, torch.full_like(y, self.null_label), y)
        t = numbers[1] * (1 - self.eps)
        noise = torch.empty_like(z).normal_(generator=self.stream)
        broadcast = t.reshape(-1, *[1] * (z.ndim - 1))
        x = self.path.alpha(broadcast) * z + self.path.beta(broadcast) * noise
        target = self.path.conditional_vector_field(x, z, t)
        return ((target - self.model(x, t, y)) ** 2).mean()
