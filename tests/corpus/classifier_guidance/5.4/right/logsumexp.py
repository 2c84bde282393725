"""The cross-entropy by hand, logsumexp minus the label's logit."""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)
        t = torch.randint(0, len(self.diffusion.betas), y.shape, device=y.device)
        logits = self.model(self.diffusion.q_sample(x, t, torch.randn_like(x)), t)
        chosen = logits.gather(1, y.unsqueeze(1)).squeeze(1)
        return (torch.logsumexp(logits, dim=1) - chosen).mean()
