"""The sum over the pixels, averaged over the batch, in float64; the network called by keyword."""


class CFGTrainer(CFGTrainer):
    def get_train_loss(self, batch_size):
        z, y = self.path.p_data.sample(batch_size)
        labels = y.masked_fill(torch.rand_like(z.flatten(1)[:, 0]) < self.eta, self.null_label)
        t = torch.empty(batch_size).uniform_(0, 1 - self.eps)
        x = self.path.sample_conditional_path(z, t)
        u = self.path.conditional_vector_field(x, z, t)
        error = (self.model(x=x, t=t, y=labels) - u).double()
        return error.flatten(1).pow(2).sum(1).mean()
