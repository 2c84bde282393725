"""x and z are handed to the velocity in the wrong order.

Named: x and z look swapped in conditional_vector_field
"""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        dropped = torch.rand(batch_size) < self.eta
        y = torch.where(dropped, self.null_label, y)
        t = (1 - self.eps) * torch.rand(batch_size)
        x = self.path.sample_conditional_path(z, t)
        target = self.path.conditional_vector_field(z, x, t)
        return (self.model(x, t, y) - target).square().mean()
