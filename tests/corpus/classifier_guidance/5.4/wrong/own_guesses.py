"""Takes the classifier's own guesses for labels.

Named: The classifier's own guesses are taken for labels
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        logits = self.model(self.diffusion.q_sample(x, t, torch.randn_like(x)), t)
        y = logits.argmax(dim=1)
        return cross_entropy(logits, y)
