package io.github.dl4jfuse.tools.train;

import io.github.dl4jfuse.acceleration.Acceleration;
import io.github.dl4jfuse.datasets.Cifar10;
import io.github.dl4jfuse.datasets.FashionMnist;
import io.github.dl4jfuse.datasets.ImageData;
import io.github.dl4jfuse.datasets.Terminal;
import io.github.dl4jfuse.tools.machine.Launcher;
import io.github.dl4jfuse.tools.machine.Machine;
import io.github.dl4jfuse.tools.report.HtmlReport;
import io.github.dl4jfuse.tools.report.ReportData;
import io.github.dl4jfuse.tools.report.RunResult;
import io.github.dl4jfuse.updater.FusePv;
import io.github.dl4jfuse.updater.SwitchCriterion;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.nd4j.linalg.learning.config.Adam;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The main job: one network, trained by stock Adam and by FUSE-PV from the same weights on the same batches. */
@Command(
        name = "train",
        description =
                "Trains one network with DL4J's Adam, with Preconditioned and with FUSE-PV, from the same initial weights on the same"
                        + " batches, and compares them in a table and an HTML report.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
public final class TrainCommand implements Callable<Integer> {

    private static final String SUBSET = "subset";
    private static final String FULL = "full";

    private static final List<String> NOTES = List.of(
            "All runs start at the same weights and see the same batches in the same order.",
            "Preconditioned runs at its defaults, its rate falling to 0 over the epochs, which Adam's does not here; compare tunes Adam's rate and schedule.",
            "Until the switch FUSE-PV is Adam, bit for bit. After it, a step evaluates the gradient of its batch two or"
                    + " more times, which is why the curves are drawn over gradient evaluations and over seconds.",
            "\"Adam, continued\" is the same Adam run, carried on until it has used as many gradient evaluations as"
                    + " FUSE-PV.",
            "Training loss is over the whole training set and accuracy over the whole test set, at the end of an epoch,"
                    + " not the best epoch. Seconds are of training alone.",
            "One seed, and a learning rate that was not tuned: this shows how to use the optimisers, it proves no"
                    + " advantage.");

    enum Dataset {
        FASHION_MNIST,
        CIFAR10;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Reads {@code fashion-mnist} or {@code cifar10}. */
    static final class DatasetConverter implements ITypeConverter<Dataset> {

        @Override
        public Dataset convert(String text) {
            return Stream.of(Dataset.values())
                    .filter(dataset -> dataset.toString().equalsIgnoreCase(text))
                    .findFirst()
                    .orElseThrow(
                            () -> new TypeConversionException("'" + text + "' is neither fashion-mnist nor cifar10"));
        }
    }

    @Spec
    private CommandSpec spec;

    @Option(names = "--dataset", description = "fashion-mnist or cifar10.", converter = DatasetConverter.class)
    private Dataset dataset = Dataset.FASHION_MNIST;

    @Option(
            names = "--data",
            paramLabel = "subset|full|FOLDER",
            description = "Where the images come from: the 6,000 + 1,000 Fashion-MNIST images that come with the"
                    + " examples; the full set, looked for in DL4J_FUSE_DATA and the cache, else downloaded; or a folder"
                    + " with its files. Default: subset for fashion-mnist, full for cifar10.",
            showDefaultValue = Visibility.NEVER)
    private String data;

    @Option(names = "--model", description = "${COMPLETION-CANDIDATES}: 784-256-128-10, or two convolutions.")
    private ModelKind model = ModelKind.MLP;

    @Option(names = "--epochs", description = "Epochs for each optimiser.")
    private int epochs = 10;

    @Option(names = "--batch", description = "Examples in a batch.")
    private int batch = 128;

    @Option(names = "--seed", description = "Seed of the initial weights and of the order of the batches.")
    private long seed = 1;

    @Option(names = "--learning-rate", description = "The learning rate of Adam and of FUSE-PV's Adam.")
    private double learningRate = Adam.DEFAULT_ADAM_LEARNING_RATE;

    @Option(
            names = "--switch",
            paramLabel = "CRITERION",
            converter = SwitchConverter.class,
            description =
                    "When FUSE-PV goes to L-BFGS: epoch:N, iteration:N, gradient-norm:X or loss:X. Default: epoch:"
                            + FusePv.PUBLISHED_SWITCH_EPOCH + ".",
            showDefaultValue = Visibility.NEVER)
    private SwitchCriterion criterion = SwitchCriterion.epoch(FusePv.PUBLISHED_SWITCH_EPOCH);

    @Option(names = "--report", paramLabel = "FILE", description = "Where the HTML report goes.")
    private Path report = Path.of("dl4j-fuse-report", "train.html");

    @Option(
            names = "--picture",
            paramLabel = "FILE",
            description = "Where the first chart goes as PNG; default: nowhere.")
    private Path picture;

    @Override
    public Integer call() {
        require(epochs >= 1, "--epochs must be at least 1, not " + epochs);
        require(batch >= 1, "--batch must be at least 1, not " + batch);
        require(
                learningRate > 0 && learningRate < Double.POSITIVE_INFINITY,
                "--learning-rate must be positive, not " + learningRate);
        require(!Files.isDirectory(report), "--report names a folder, not a file: " + report);
        PrintWriter out = spec.commandLine().getOut();
        if (Launcher.isDone()) {
            Acceleration.enable();
        }
        List<ImageData> both = images();
        ImageData train = model.shape(both.get(0));
        ImageData test = model.shape(both.get(1));
        String images = String.format(
                Locale.ROOT, "%s: %,d training and %,d test images", train.name(), train.size(), test.size());
        String machine = Machine.describe();
        SideBySide sideBySide = new SideBySide(model, train, test, batch, seed);
        String network = String.format(
                Locale.ROOT, "%s, %,d parameters, batch %d, seed %d", model, sideBySide.parameters(), batch, seed);
        out.println(machine + "\n" + images + "\n" + network);

        List<RunResult> results = train(sideBySide);
        printTable(out, results);
        HtmlReport.write(
                report,
                new ReportData(
                        "Preconditioned and FUSE-PV beside Adam", images, network, machine, repeat(), results, NOTES));
        if (picture != null) {
            HtmlReport.writePicture(picture, results);
        }
        out.println("Report: " + report.toAbsolutePath().normalize());
        return 0;
    }

    private void require(boolean holds, String sentence) {
        if (!holds) {
            throw new ParameterException(spec.commandLine(), sentence + ".");
        }
    }

    /** The training set and the test set. */
    private List<ImageData> images() {
        String source = data == null ? (dataset == Dataset.CIFAR10 ? FULL : SUBSET) : data;
        if (dataset == Dataset.CIFAR10) {
            require(
                    !source.equals(SUBSET),
                    "--data subset exists for fashion-mnist only; cifar10 takes full or a folder");
            Cifar10 cifar = source.equals(FULL) ? Cifar10.full() : Cifar10.from(folder(source));
            return List.of(cifar.train(), cifar.test());
        }
        FashionMnist fashion = switch (source) {
            case SUBSET -> FashionMnist.subset();
            case FULL -> FashionMnist.full();
            default -> FashionMnist.from(folder(source));
        };
        return List.of(fashion.train(), fashion.test());
    }

    private Path folder(String source) {
        Path folder = Path.of(source);
        require(Files.isDirectory(folder), "--data must be subset, full or an existing folder, not " + source);
        return folder;
    }

    private List<RunResult> train(SideBySide sideBySide) {
        Adam adam = new Adam(learningRate);
        FusePv fuse = FusePv.builder()
                .learningRate(learningRate)
                .switchCriterion(criterion)
                .build();
        ProgressBarBuilder builder =
                new ProgressBarBuilder().setTaskName("Training").setInitialMax(sideBySide.steps(epochs));
        try (ProgressBar bar = Terminal.isPresent() ? builder.build() : null) {
            return sideBySide.run(adam, fuse, epochs, bar == null ? () -> {} : bar::step);
        }
    }

    private static void printTable(PrintWriter out, List<RunResult> results) {
        List<String> columns =
                List.of("optimiser", "epochs", "gradients", "seconds", "training loss", "test accuracy", "switch");
        out.println();
        Stream.concat(Stream.of(columns), results.stream().map(RunResult::cells))
                .forEach(row -> out.printf("%-24s %7s %12s %9s %14s %14s  %s%n", row.toArray()));
        out.println();
    }

    private String repeat() {
        String options =
                String.join(" ", spec.root().commandLine().getParseResult().originalArgs());
        return "java -jar dl4j-fuse-tools/target/dl4j-fuse.jar " + options;
    }
}
