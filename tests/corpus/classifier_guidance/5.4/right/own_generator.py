"""Draws steps and noise from a torch.Generator that it keeps, the loss in float64."""


class NoisyClassifierTrainer(Trainer):
    def __init__(self, diffusion, data):
        super().__init__()
        self.diffusion, self.data = diffusion, data
        self.dice = torch.Generator().manual_seed(7)
        self.criterion = nn.CrossEntropyLoss(reduction="sum")

    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), generator=self.dice)
        noise = torch.randn(x.shape, generator=self.dice)
        logits = self.model(self.diffusion.q_sample(x, t, noise), t).double()
        return self.criterion(logits, y) / len(y)
