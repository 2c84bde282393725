"""Takes the images of one draw and the labels of another.

Named: Images and labels come from two draws
"""


class NoisyClassifierTrainer(NoisyClassifierTrainer):
    def get_train_loss(self, batch_size):
        x, y = self.data.sample(batch_size)[0], self.data.sample(batch_size)[1]
        t = torch.randint(self.diffusion.num_steps, (batch_size,), device=y.device)
        x = self.diffusion.q_sample(x, t, torch.randn_like(x))
        return cross_entropy(self.model(x, t), y)
